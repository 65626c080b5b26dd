/* fail.h - fail points: every durable step has a name, and tests can stop the program or fail the disk there
 *
 * STEP("store.commit") before a durable action counts the step and, when the environment variable
 * POSTRIDER_FAIL says so, ends the process with SIGKILL, or makes STEP_FAILS() true with an errno. Rules,
 * separated by commas:
 *
 *   NAME:kill        SIGKILL the first time NAME is reached      NAME@3:kill      the third time
 *   #17:kill         the 17th step, whichever it is              NAME:ENOSPC      STEP_FAILS("NAME") sets
 * errno, is true NAME:ENOSPC+     from then on always                         log:FILE         append each
 * step's name to FILE once:FILE        whoever is to be killed makes FILE first; where it exists nobody is: a
 * process that is started again with the same environment lives after:NAME       a process counts only what
 * it passes after its first NAME
 *
 * TEST_VALUE("net.command_ms", 60000) is that number, or what NAME=NUMBER among the rules says: time limits that a
 * test need not sit out.
 *
 * Compiled away without --enable-failpoints. Names are "module.action"; `git grep 'STEP("'` is the list.
 * Any thread may call.
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include <glib.h>

#ifdef FAILPOINTS
gboolean fail_step(const char *name);
guint fail_value(const char *name, guint value);
void fail_reload(void); /* POSTRIDER_FAIL anew: for a test's child after fork() */
#define STEP(name) ((void)fail_step(name))
#define STEP_FAILS(name) (fail_step(name))
#define TEST_VALUE(name, value) (fail_value(name, value))
#else
#define STEP(name) ((void)0)
#define STEP_FAILS(name) ((void)(name), FALSE)
#define TEST_VALUE(name, value) ((guint)(value))
#endif

#endif
