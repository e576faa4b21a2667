/* command.h - the commands of the program: one function each, argv[0] is the command's name. They
 * return the exit code: 0 nothing to act on, 1 something to act on, 2 usage, environment or input.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

enum {
    EXIT_NOTHING = 0,
    EXIT_ACT = 1,
    EXIT_TROUBLE = 2
};

int command_audit(int argc, char **argv);
int command_geo(int argc, char **argv);
int command_policy(int argc, char **argv);

#endif
