#include "config.h"

#include "ui/key.h"

#include <string.h>

/* Longer than any key; a paste may be much longer but is cut too. */
#define SEQUENCE_MAX 64
#define STRING_MAX 4096
#define PASTE_MAX (1024 * 1024)

enum state { STATE_GROUND, STATE_ESC, STATE_CSI, STATE_SS3, STATE_STRING, STATE_STRING_ESC, STATE_PASTE };

struct known {
    char *sequence;
    guint key;
};

struct key_decoder {
    gboolean utf8;
    enum state state;
    GString *bytes; /* of the sequence being read; of the character in STATE_GROUND */
    GString *paste;
    guint swallowed;
    GArray *known;
};

static void
known_clear(gpointer data)
{
    g_free(((struct known *)data)->sequence);
}

struct key_decoder *
key_decoder_new(gboolean utf8)
{
    struct key_decoder *decoder = g_new0(struct key_decoder, 1);
    decoder->utf8 = utf8;
    decoder->bytes = g_string_new(NULL);
    decoder->paste = g_string_new(NULL);
    decoder->known = g_array_new(FALSE, FALSE, sizeof(struct known));
    g_array_set_clear_func(decoder->known, known_clear);
    return decoder;
}

void
key_decoder_free(struct key_decoder *decoder)
{
    if (!decoder)
        return;
    g_string_free(decoder->bytes, TRUE);
    g_string_free(decoder->paste, TRUE);
    g_array_unref(decoder->known);
    g_free(decoder);
}

void
key_decoder_add(struct key_decoder *decoder, const char *sequence, guint key)
{
    if (!sequence || sequence[0] != '\033' || !sequence[1] || strlen(sequence) >= SEQUENCE_MAX)
        return;
    struct known known = {g_strdup(sequence), key};
    g_array_append_val(decoder->known, known);
}

static void
ground(struct key_decoder *decoder)
{
    decoder->state = STATE_GROUND;
    decoder->swallowed = 0;
    g_string_truncate(decoder->bytes, 0);
}

gboolean
key_decoder_waiting(const struct key_decoder *decoder)
{
    return decoder->state != STATE_GROUND && decoder->state != STATE_PASTE;
}

static void
emit(guint key, key_func func, gpointer data)
{
    struct key_event event = {.key = key};
    func(&event, data);
}

static guint
modified(guint key, guint modifiers)
{
    /* xterm: 1 + (1 shift, 2 alt, 4 control) */
    if (modifiers < 2 || modifiers > 16)
        return key;
    modifiers--;
    return key | (modifiers & 1 ? K_SHIFT : 0) | (modifiers & 2 ? K_ALT : 0) | (modifiers & 4 ? K_CTRL : 0);
}

static guint
letter_key(char final)
{
    switch (final) {
    case 'A':
        return K_UP;
    case 'B':
        return K_DOWN;
    case 'C':
        return K_RIGHT;
    case 'D':
        return K_LEFT;
    case 'H':
        return K_HOME;
    case 'F':
        return K_END;
    case 'Z':
        return K_BACK_TAB;
    case 'M':
        return K_ENTER; /* the keypad's, as SS3 M */
    case 'P':
    case 'Q':
    case 'R':
    case 'S':
        return K_F0 + 1 + (guint)(final - 'P');
    default:
        return K_NONE;
    }
}

static guint
tilde_key(guint number)
{
    static const guint8 function[] = {
        [11] = 1, [12] = 2, [13] = 3, [14] = 4,  [15] = 5,  [17] = 6,
        [18] = 7, [19] = 8, [20] = 9, [21] = 10, [23] = 11, [24] = 12,
    };
    static const guint edit[] = {K_NONE,    K_HOME,      K_INSERT, K_DELETE, K_END,
                                 K_PAGE_UP, K_PAGE_DOWN, K_HOME,   K_END};
    if (number < G_N_ELEMENTS(edit))
        return edit[number];
    if (number < G_N_ELEMENTS(function) && function[number])
        return K_F0 + function[number];
    return K_NONE;
}

static void
mouse(const char *parameters, char final, key_func func, gpointer data)
{
    guint64 values[3] = {0};
    const char *p = parameters;
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        values[i] = g_ascii_strtoull(p, &end, 10);
        if (end == p || values[i] > 10000)
            return;
        p = *end ? end + 1 : end;
    }
    struct key_event event = {.key = K_MOUSE, .column = (int)values[1] - 1, .row = (int)values[2] - 1};
    guint64 code = values[0] & ~(guint64)(4 | 8 | 16);
    if (code == 64 || code == 65)
        event.button = code == 64 ? MOUSE_WHEEL_UP : MOUSE_WHEEL_DOWN;
    else if (code <= 2 && final == 'M')
        event.button = (enum mouse_button)code;
    else
        return; /* motion and release mean nothing here */
    if (event.row >= 0 && event.column >= 0)
        func(&event, data);
}

/* decoder->bytes holds ESC [ parameters final. */
static void
csi_done(struct key_decoder *decoder, key_func func, gpointer data)
{
    const char *parameters = decoder->bytes->str + 2;
    char final = decoder->bytes->str[decoder->bytes->len - 1];
    decoder->state = STATE_GROUND;
    if (parameters[0] == '<') {
        mouse(parameters + 1, final, func, data);
        return;
    }
    if (parameters[0] == '?' || parameters[0] == '>' || parameters[0] == '=')
        return; /* an answer of the terminal */
    char *end = NULL;
    guint64 first = g_ascii_strtoull(parameters, &end, 10), second = 0;
    if (end && *end == ';')
        second = g_ascii_strtoull(end + 1, NULL, 10);
    if (final == '~') {
        if (first == 200) {
            decoder->state = STATE_PASTE;
            g_string_truncate(decoder->paste, 0);
            return;
        }
        guint key = first < 64 ? tilde_key((guint)first) : K_NONE;
        if (key)
            emit(modified(key, (guint)MIN(second, 99)), func, data);
        return;
    }
    guint key = letter_key(final);
    if (final == 'M')
        key = K_NONE; /* X10 mouse: not asked for */
    if (key)
        emit(modified(key, (guint)MIN(second, 99)), func, data);
}

static gboolean
known_sequence(struct key_decoder *decoder, gboolean *longer, guint *key)
{
    *longer = FALSE;
    for (guint i = 0; i < decoder->known->len; i++) {
        const struct known *known = &g_array_index(decoder->known, struct known, i);
        if (!strcmp(known->sequence, decoder->bytes->str)) {
            *key = known->key;
            return TRUE;
        }
        if (g_str_has_prefix(known->sequence, decoder->bytes->str))
            *longer = TRUE;
    }
    return FALSE;
}

static void
paste_byte(struct key_decoder *decoder, char byte, key_func func, gpointer data)
{
    static const char end[] = "\033[201~";
    if (decoder->paste->len < PASTE_MAX)
        g_string_append_c(decoder->paste, byte);
    else { /* keep looking for the end */
        memmove(decoder->paste->str + PASTE_MAX - sizeof end,
                decoder->paste->str + PASTE_MAX - sizeof end + 1, sizeof end - 1);
        decoder->paste->str[PASTE_MAX - 1] = byte;
    }
    gsize n = sizeof end - 1;
    if (byte != '~' || decoder->paste->len < n ||
        memcmp(decoder->paste->str + decoder->paste->len - n, end, n) != 0)
        return;
    g_string_truncate(decoder->paste, decoder->paste->len - n);
    decoder->state = STATE_GROUND;
    g_autofree char *text = g_utf8_make_valid(decoder->paste->str, (gssize)decoder->paste->len);
    for (char *p = text; *p; p++)
        if (*p == '\r') /* terminals send CR for a line end */
            *p = '\n';
    struct key_event event = {.key = K_PASTE, .text = text};
    func(&event, data);
    g_string_truncate(decoder->paste, 0);
}

static void
plain_byte(struct key_decoder *decoder, char byte, guint modifiers, key_func func, gpointer data)
{
    guchar c = (guchar)byte;
    if (c == 27) {
        decoder->state = STATE_ESC;
        g_string_assign(decoder->bytes, "\033");
        return;
    }
    if (decoder->utf8 && c >= 0x80) {
        if (c >= 0xc0)
            g_string_truncate(decoder->bytes, 0);
        g_string_append_c(decoder->bytes, byte);
        gunichar u = g_utf8_get_char_validated(decoder->bytes->str, (gssize)decoder->bytes->len);
        if (u == (gunichar)-2 && decoder->bytes->len < 6)
            return;
        g_string_truncate(decoder->bytes, 0);
        if (u < 0x110000)
            emit(u | modifiers, func, data);
        return;
    }
    g_string_truncate(decoder->bytes, 0);
    if (c >= 0x80) {
        g_autofree char *text = g_locale_to_utf8(&byte, 1, NULL, NULL, NULL);
        if (text && *text)
            emit(g_utf8_get_char(text) | modifiers, func, data);
    } else if (c == 127 || c == 8)
        emit(K_BACKSPACE | modifiers, func, data);
    else if (c == '\n')
        emit(K_ENTER | modifiers, func, data);
    else if (c)
        emit(c | modifiers, func, data);
}

static void
escape_byte(struct key_decoder *decoder, char byte, key_func func, gpointer data)
{
    if (byte == '\033') { /* two in a row: the first one stood alone */
        emit(K_ESC, func, data);
        return;
    }
    g_string_append_c(decoder->bytes, byte);
    switch (byte) {
    case '[':
        decoder->state = STATE_CSI;
        break;
    case 'O':
        decoder->state = STATE_SS3;
        break;
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
        decoder->state = STATE_STRING;
        decoder->swallowed = 0;
        break;
    default:
        ground(decoder);
        plain_byte(decoder, byte, K_ALT, func, data);
    }
}

static void
sequence_byte(struct key_decoder *decoder, char byte, key_func func, gpointer data)
{
    g_string_append_c(decoder->bytes, byte);
    gboolean longer = FALSE;
    guint key = K_NONE;
    if (known_sequence(decoder, &longer, &key)) {
        ground(decoder);
        emit(key, func, data);
        return;
    }
    if (longer)
        return;
    if (decoder->state == STATE_SS3) {
        decoder->state = STATE_GROUND;
        key = letter_key(byte);
        g_string_truncate(decoder->bytes, 0);
        if (key)
            emit(key, func, data);
        return;
    }
    if (byte >= 0x40 && byte <= 0x7e) {
        csi_done(decoder, func, data);
        g_string_truncate(decoder->bytes, 0);
    } else if ((guchar)byte < 0x20 || decoder->bytes->len >= SEQUENCE_MAX) {
        ground(decoder);
    }
}

void
key_decoder_feed(struct key_decoder *decoder, const char *bytes, gsize length, key_func func, gpointer data)
{
    for (gsize i = 0; i < length; i++) {
        char byte = bytes[i];
        switch (decoder->state) {
        case STATE_GROUND:
            plain_byte(decoder, byte, 0, func, data);
            break;
        case STATE_ESC:
            escape_byte(decoder, byte, func, data);
            break;
        case STATE_CSI:
        case STATE_SS3:
            sequence_byte(decoder, byte, func, data);
            break;
        case STATE_STRING:
            if (byte == '\033')
                decoder->state = STATE_STRING_ESC;
            else if (byte == '\a' || byte == '\030' || ++decoder->swallowed > STRING_MAX)
                ground(decoder);
            break;
        case STATE_STRING_ESC:
            if (byte == '\\')
                ground(decoder);
            else
                decoder->state = STATE_STRING;
            break;
        case STATE_PASTE:
            paste_byte(decoder, byte, func, data);
            break;
        }
    }
}

void
key_decoder_timeout(struct key_decoder *decoder, key_func func, gpointer data)
{
    if (!key_decoder_waiting(decoder))
        return;
    enum state state = decoder->state;
    char second = decoder->bytes->len > 1 ? decoder->bytes->str[1] : 0;
    gboolean whole = decoder->bytes->len > 2 || decoder->swallowed;
    ground(decoder);
    if (state == STATE_ESC)
        emit(K_ESC, func, data);
    else if (!whole && second) /* Alt-[ and its like were typed */
        emit((guint)(guchar)second | K_ALT, func, data);
}

/* ---- names ---- */

static const struct {
    const char *name;
    guint key;
} names[] = {
    {"Up", K_UP},
    {"Down", K_DOWN},
    {"Left", K_LEFT},
    {"Right", K_RIGHT},
    {"Home", K_HOME},
    {"End", K_END},
    {"PageUp", K_PAGE_UP},
    {"PageDown", K_PAGE_DOWN},
    {"PgUp", K_PAGE_UP},
    {"PgDn", K_PAGE_DOWN},
    {"Insert", K_INSERT},
    {"Delete", K_DELETE},
    {"Backspace", K_BACKSPACE},
    {"Tab", K_TAB},
    {"BackTab", K_BACK_TAB},
    {"Shift-Tab", K_BACK_TAB},
    {"Enter", K_ENTER},
    {"Return", K_ENTER},
    {"Esc", K_ESC},
    {"Escape", K_ESC},
    {"Space", ' '},
    {"Comma", ','},
    {"Semicolon", ';'},
};

static guint
name_lookup(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (!g_ascii_strcasecmp(names[i].name, name))
            return names[i].key;
    return K_NONE;
}

guint
key_parse(const char *name)
{
    if (!*name)
        return K_NONE;
    if (!g_utf8_validate(name, -1, NULL))
        return K_NONE;
    if (!*g_utf8_next_char(name)) {
        gunichar c = g_utf8_get_char(name);
        return c > ' ' && c != 127 ? c : K_NONE;
    }
    gsize length = strlen(name);
    if (name[0] == '<' && name[length - 1] == '>') {
        g_autofree char *inside = g_strndup(name + 1, length - 2);
        return key_parse(inside);
    }
    if (name[0] == '^' && length == 2 && g_ascii_toupper(name[1]) >= '@' && g_ascii_toupper(name[1]) <= '_') {
        guint key = (guint)g_ascii_toupper(name[1]) & 31;
        return key == K_CTRL_OF('H') ? K_BACKSPACE : key;
    }
    guint key = name_lookup(name);
    if (key)
        return key;
    if ((name[0] == 'F' || name[0] == 'f') && g_ascii_isdigit(name[1])) {
        guint64 number = g_ascii_strtoull(name + 1, NULL, 10);
        return number >= 1 && number <= 24 && strlen(name) <= 3 ? K_F0 + (guint)number : K_NONE;
    }
    static const struct {
        const char *prefix;
        guint bit;
    } prefixes[] = {{"Ctrl-", K_CTRL}, {"C-", K_CTRL},  {"Shift-", K_SHIFT},
                    {"S-", K_SHIFT},   {"Alt-", K_ALT}, {"M-", K_ALT}};
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        gsize n = strlen(prefixes[i].prefix);
        if (g_ascii_strncasecmp(name, prefixes[i].prefix, n) != 0)
            continue;
        key = key_parse(name + n);
        if (!key)
            return K_NONE;
        if (prefixes[i].bit == K_CTRL && key < 128) {
            guint upper = (guint)g_ascii_toupper((char)key);
            return upper >= '@' && upper <= '_' ? key_parse((char[]){'^', (char)upper, 0}) : K_NONE;
        }
        if (prefixes[i].bit != K_ALT && key < K_FIRST)
            return K_NONE;
        return key | prefixes[i].bit;
    }
    return K_NONE;
}

char *
key_label(guint key)
{
    GString *out = g_string_new(NULL);
    if (key & K_ALT)
        g_string_append(out, "Alt-");
    if (key & K_CTRL)
        g_string_append(out, "Ctrl-");
    if (key & K_SHIFT)
        g_string_append(out, "Shift-");
    key &= ~(guint)(K_ALT | K_CTRL | K_SHIFT);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].key == key && key != ',' && key != ';') {
            g_string_append(out, names[i].name);
            return g_string_free(out, FALSE);
        }
    }
    if (key > K_F0 && key <= K_LAST)
        g_string_append_printf(out, "F%u", key - K_F0);
    else if (key < 32)
        g_string_append_printf(out, "Ctrl-%c", (char)(key + 64));
    else
        g_string_append_unichar(out, key);
    return g_string_free(out, FALSE);
}

GArray *
key_sequence_parse(const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(guint));
    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        guint key = key_parse(*word);
        if (!key)
            return NULL;
        if (key & K_ALT) { /* Alt-v and Esc v are the same bytes */
            guint escape = K_ESC;
            g_array_append_val(keys, escape);
            key &= ~(guint)K_ALT;
        }
        g_array_append_val(keys, key);
    }
    return keys->len ? g_steal_pointer(&keys) : NULL;
}

char *
key_sequence_name(const guint *keys, guint n)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = key_label(keys[i]);
        if (i)
            g_string_append_c(out, ' ');
        g_string_append(out, name);
    }
    return g_string_free(out, FALSE);
}
