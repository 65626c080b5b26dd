/* manual.h - postrider-keys(7), out of the table of commands */
#ifndef UI_MANUAL_H
#define UI_MANUAL_H

/* The page on standard output, in the language of the locale. */
void manual_keys(void);

#endif
