/* program.h - runs a program to its end: input in, a bounded answer out, within a time
 *
 * For the threads of the engine: it waits. The program is started by its argv, never by a shell; it gets the caller's
 * environment, no descriptors but the three, and a process group of its own, which is killed when the time is over or it
 * says more than it may. Any thread.
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <glib.h>

struct program {
    char **argv;       /* argv[0] is looked for in PATH when it has no '/' */
    const char *input; /* standard input, or NULL: */
    gsize input_length;
    int input_fd;      /* this is its standard input, -1: none */
    guint seconds;     /* in which it has to end */
    gsize output_max;  /* of standard output and error, each */
};

enum program_end {
    PROGRAM_FAILED,   /* it could not be started */
    PROGRAM_EXITED,
    PROGRAM_KILLED,   /* by a signal that was not ours */
    PROGRAM_TOO_LONG,
    PROGRAM_TOO_MUCH  /* said more than output_max */
};

struct program_result {
    enum program_end end;
    int code;        /* the exit code, or the signal */
    GString *output; /* never NULL */
    GString *errors; /* likewise */
    char *why;       /* of PROGRAM_FAILED */
};
void program_result_clear(struct program_result *result);
typedef struct program_result struct_program_result;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_program_result, program_result_clear)

/* TRUE: it exited with 0. */
gboolean program_run(const struct program *program, struct program_result *result);
/* How it ended, in words that go on behind its name: "ended with 3: no space left"; safe to show. */
char *program_words(const struct program *program, const struct program_result *result);

#endif
