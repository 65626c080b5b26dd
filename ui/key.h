/* key.h - what the keyboard sends, taken apart: bytes in, keys out
 *
 * A key is a number: a Unicode character, a control character (1 to 31), or one of enum key_code, with K_ALT,
 * K_CTRL or K_SHIFT added where the terminal says so. The decoder is pure: it never reads and never waits. A
 * lone Escape is only known after some silence: while key_decoder_waiting(), call key_decoder_timeout() after
 * some 25 ms without a byte. Pasted text arrives whole as one event, so that it can never be taken for
 * commands. Answers of the terminal (OSC, DCS, unknown CSI) are swallowed. Sequences: ECMA-48, xterm's
 * ctlseqs; what differs comes from terminfo through key_decoder_add(). One thread uses a decoder.
 */
#ifndef UI_KEY_H
#define UI_KEY_H

#include <glib.h>

enum key_code {
    K_NONE = 0,
    K_TAB = 9,
    K_ENTER = 13,
    K_ESC = 27,
    K_FIRST = 0x110000,
    K_UP,
    K_DOWN,
    K_LEFT,
    K_RIGHT,
    K_HOME,
    K_END,
    K_PAGE_UP,
    K_PAGE_DOWN,
    K_INSERT,
    K_DELETE,
    K_BACKSPACE,
    K_BACK_TAB,
    K_PASTE, /* event.text */
    K_MOUSE, /* event.row, column, button */
    K_F0,    /* F1 is K_F0 + 1 … F24 */
    K_LAST = K_F0 + 24,
    K_SHIFT = 1 << 24,
    K_ALT = 1 << 25,
    K_CTRL = 1 << 26
};
#define K_CTRL_OF(letter) ((guint)(letter)&31u)

enum mouse_button { MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

struct key_event {
    guint key;
    const char *text; /* K_PASTE: valid UTF-8, borrowed during the call */
    int row, column;  /* K_MOUSE: from 0 */
    enum mouse_button button;
};

typedef void (*key_func)(const struct key_event *event, gpointer data);

struct key_decoder;
/* utf8 FALSE: bytes above 127 are read in the locale's charset. */
struct key_decoder *key_decoder_new(gboolean utf8);
void key_decoder_free(struct key_decoder *decoder);
/* A sequence of this terminal that stands for a key. */
void key_decoder_add(struct key_decoder *decoder, const char *sequence, guint key);
void key_decoder_feed(struct key_decoder *decoder, const char *bytes, gsize length, key_func func,
                      gpointer data);
gboolean key_decoder_waiting(const struct key_decoder *decoder);
void key_decoder_timeout(struct key_decoder *decoder, key_func func, gpointer data);

/* One key as people write it: `j`, `Down`, `^P`, `Ctrl-P`, `F1`, `Space`, `<Enter>`; `Esc v` and `Alt-v` are
 * two keys (see key_sequence_parse). 0 when it is no key. */
guint key_parse(const char *name);
/* The short form for help and hints: "j", "Down", "Ctrl-P". A new string. */
char *key_label(guint key);

/* "Esc v", "g g", "j": keys with a space between. An array of guint, NULL when a part of it is no key. */
GArray *key_sequence_parse(const char *text);
char *key_sequence_name(const guint *keys, guint n);

#endif
