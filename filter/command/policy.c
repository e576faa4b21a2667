/* policy.c - `medguan policy`: check a file, show the policy in force. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "command/command.h"
#include "decide/policy.h"

static const char usage[] =
    "usage: medguan policy check FILE\n"
    "       medguan policy show [FILE]\n"
    "\n"
    "check reads a policy and says what is wrong with it: file, line, column, key, legal values.\n"
    "show prints a policy as it stands (default: the one that ships) for a site to copy and "
    "change.\n"
    "\n"
    "Examples:\n"
    "  medguan policy show > policy.yaml\n"
    "  medguan policy check policy.yaml\n"
    "\n"
    "Exit codes: 0 all is well; 2 usage, or the policy is not valid.\n";

static int check(const char *path)
{
    struct policy *p = NULL;
    struct fault f = {0};
    if (policy_load(path, &p, &f) != STATUS_OK) {
        log_write(LOG_ERROR, "%s", f.text);
        return EXIT_TROUBLE;
    }
    (void)printf("%s: valid, %u rows, sha256 %s\n", policy_name(p), (unsigned)policy_rows(p),
                 policy_hash(p));
    policy_free(p);
    return EXIT_NOTHING;
}

static int show(const char *path)
{
    struct policy *p = NULL;
    struct fault f = {0};
    if (policy_load(path, &p, &f) != STATUS_OK) {
        log_write(LOG_ERROR, "%s", f.text);
        return EXIT_TROUBLE;
    }
    (void)fputs(policy_text(p), stdout);
    policy_free(p);
    return EXIT_NOTHING;
}

int command_policy(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    optind = 1;
    int c = getopt_long(argc, argv, "", options, NULL);
    if (c == 'h') {
        (void)fputs(usage, stdout);
        return EXIT_NOTHING;
    }
    int n = argc - optind;
    if (c == -1 && n == 2 && strcmp(argv[optind], "check") == 0)
        return check(argv[optind + 1]);
    if (c == -1 && (n == 1 || n == 2) && strcmp(argv[optind], "show") == 0)
        return show(n == 2 ? argv[optind + 1] : NULL);
    if (c == -1)
        log_write(LOG_ERROR, "policy takes 'check FILE' or 'show [FILE]'");
    (void)fputs("Try 'medguan policy --help'.\n", stderr);
    return EXIT_TROUBLE;
}
