/* main.c - finds the command and calls it. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "command/command.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    {"audit", command_audit, "find what left in captured or live traffic"},
    {"geo", command_geo, "where an address is, and whose law holds there"},
    {"policy", command_policy, "check a policy, or show the one that ships"},
};

static void print_usage(FILE *to)
{
    (void)fputs(
        "usage: medguan COMMAND [OPTIONS] ...\n\n"
        "medguan finds personal information in the traffic of medical devices and says what\n"
        "policy does about it before it leaves mainland China.\n\n",
        to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].what);
    (void)fputs("\n'medguan COMMAND --help' tells more; 'medguan --version' the version.\n", to);
}

int main(int argc, char **argv)
{
    /* A core file would hold what was inspected. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_TROUBLE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return EXIT_NOTHING;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("medguan %s\n", MEDGUAN_VERSION);
        (void)puts("IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0; "
                   "IPFire Location ranges by Debian's tor-geoipdb, CC BY-SA 4.0");
        return EXIT_NOTHING;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    (void)fprintf(stderr, "medguan: error: there is no command '%s'\n\n", argv[1]);
    print_usage(stderr);
    return EXIT_TROUBLE;
}
