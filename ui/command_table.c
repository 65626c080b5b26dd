#include "config.h"

#include "ui/command.h"
#include "ui/commands.h"
#include "ui/text.h"

#include <string.h>

#define SCROLLED (IN_ROWS | IN_TEXT)

/* mutt's keys, wherever mutt has one. Within a group the order is that of the help screen. */
const struct command command_table[] = {
    {"next", GROUP_MOVE, SCROLLED, "j, Down", NULL, N_("To the next line"), command_next},
    {"previous", GROUP_MOVE, SCROLLED, "k, Up", NULL, N_("To the line above"), command_previous},
    {"next-message", GROUP_MOVE, IN_READER, "j, J, Right", NULL, N_("The next message"), command_next_message},
    {"previous-message", GROUP_MOVE, IN_READER, "k, K, Left", NULL, N_("The previous message"), command_previous_message},
    {"scroll-down", GROUP_MOVE, IN_READER, "Down, Enter", NULL, N_("One line down"), command_line_down},
    {"scroll-up", GROUP_MOVE, IN_READER, "Up, Backspace", NULL, N_("One line up"), command_line_up},
    {"read-on", GROUP_MOVE, IN_READER | IN_TEXT, "Space", NULL, N_("A page on; at the end the next message"), command_read_on},
    {"page-down", GROUP_MOVE, SCROLLED | IN_READER, "z, PageDown", NULL, N_("A page down"), command_page_down},
    {"page-up", GROUP_MOVE, SCROLLED | IN_READER, "Z, PageUp, -", NULL, N_("A page up"), command_page_up},
    {"half-down", GROUP_MOVE, SCROLLED | IN_READER, "]", NULL, N_("Half a page down"), command_half_down},
    {"half-up", GROUP_MOVE, SCROLLED | IN_READER, "[", NULL, N_("Half a page up"), command_half_up},
    {"first", GROUP_MOVE, SCROLLED | IN_READER, "=, Home", NULL, N_("To the first line"), command_first},
    {"last", GROUP_MOVE, SCROLLED | IN_READER, "*, End", NULL, N_("To the last line"), command_last},
    {"top", GROUP_MOVE, IN_ROWS, "H", NULL, N_("To the top of the screen"), command_top},
    {"middle", GROUP_MOVE, IN_ROWS, "M", NULL, N_("To the middle of the screen"), command_middle},
    {"line-down", GROUP_MOVE, IN_LIST | IN_TEXT, ">", NULL, N_("Scroll a line down"), command_line_down},
    {"line-up", GROUP_MOVE, IN_LIST | IN_TEXT, "<", NULL, N_("Scroll a line up"), command_line_up},
    {"next-unread", GROUP_MOVE, IN_MAIL, "Tab", NULL, N_("The next unread message"), command_next_unread},
    {"previous-unread", GROUP_MOVE, IN_MAIL, "BackTab, Esc Tab", NULL, N_("The previous unread message"), command_previous_unread},
    {"next-folder", GROUP_MOVE, IN_LIST, "Ctrl-N, Esc n", NULL, N_("The next folder of the side bar"), command_next_folder},
    {"previous-folder", GROUP_MOVE, IN_LIST, "Esc p", NULL, N_("The previous folder of the side bar"), command_previous_folder},

    {"open", GROUP_READ, IN_LIST, "Enter, Space", NULL, N_("Read the message"), command_open},
    {"open-tree", GROUP_READ, IN_LIST, "Right", NULL, N_("Open the conversation as a tree, in place"), command_open_tree},
    {"close-tree", GROUP_READ, IN_LIST, "Left", NULL, N_("Close the tree"), command_close_tree},
    {"toggle-tree", GROUP_READ, IN_LIST, "Esc v", NULL, N_("Open or close the tree"), command_toggle_tree},
    {"toggle-trees", GROUP_READ, IN_LIST, "Esc V", NULL, N_("Open or close the trees of all that is on the screen"), command_toggle_trees},
    {"conversations", GROUP_READ, IN_LIST, "Ctrl-T", NULL, N_("Conversations, or each message by itself"), command_conversations},
    {"thread", GROUP_READ, IN_MAIL, "Esc t", NULL, N_("The whole conversation as a list of its own"), command_thread},
    {"quotes", GROUP_READ, IN_READER, "T", NULL, N_("Fold or unfold quoted text"), command_quotes},
    {"headers", GROUP_READ, IN_READER, "h", NULL, N_("Show or hide all header fields"), command_headers},
    {"html", GROUP_READ, IN_READER, "Esc a", NULL, N_("The HTML or the plain alternative"), command_html},
    {"raw", GROUP_READ, IN_MAIL, "Esc h", NULL, N_("The message as it lies on disk"), command_raw},
    {"parts", GROUP_READ, IN_MAIL, "v", NULL, N_("The parts and attachments"), command_parts},
    {"open-link", GROUP_READ, IN_READER, "1, 2, 3, 4, 5, 6, 7, 8, 9", "NUMBER", N_("Open a link or attachment by its number"), command_open_link},
    {"links", GROUP_READ, IN_READER, "Ctrl-B", NULL, N_("Choose a link"), command_links},
    {"open-part", GROUP_READ, IN_PARTS, "Enter, Space", NULL, N_("Show the part, or open it with its program"), command_open_part},
    {"pipe-part", GROUP_READ, IN_PARTS, "|", "COMMAND", N_("Pipe the part to a command"), command_pipe_part},
    {"journey", GROUP_READ, IN_MAIL, "I", NULL, N_("The journey of the message: hops, delays, checks"), command_journey},

    {"mail", GROUP_WRITE, IN_MAIL | IN_OUTBOX | IN_FOLDERS | IN_TEXT, "m", "ADDRESS", N_("Write a message"), command_mail},
    {"reply", GROUP_WRITE, IN_MAIL, "r", NULL, N_("Reply to the sender"), command_reply},
    {"group-reply", GROUP_WRITE, IN_MAIL, "g", NULL, N_("Reply to all"), command_group_reply},
    {"list-reply", GROUP_WRITE, IN_MAIL, "L", NULL, N_("Reply to the mailing list"), command_list_reply},
    {"forward", GROUP_WRITE, IN_MAIL, "f", NULL, N_("Forward, with the text in the body"), command_forward},
    {"forward-attached", GROUP_WRITE, IN_MAIL, "Esc F", NULL, N_("Forward as an attachment"), command_forward_attached},
    {"bounce", GROUP_WRITE, IN_MAIL, "b", "ADDRESS", N_("Send the message on, unchanged"), command_bounce},
    {"resend", GROUP_WRITE, IN_MAIL, "Esc e", NULL, N_("Use the message as the beginning of a new one"), command_resend},
    {"recall", GROUP_WRITE, IN_MAIL | IN_OUTBOX, "R", NULL, N_("Go on with a postponed message"), command_recall},
    {"edit-message", GROUP_WRITE, IN_MAIL, "e", NULL, N_("Edit: a draft is taken up again, another message becomes a new one"), command_edit_message},

    {"delete", GROUP_FILE, IN_MAIL, "d, Delete", NULL, N_("Delete: to the trash"), command_delete},
    {"delete-thread", GROUP_FILE, IN_MAIL, "Ctrl-D", NULL, N_("Delete the whole conversation"), command_delete_thread},
    {"expunge", GROUP_FILE, IN_MAIL, "", NULL, N_("Delete for good, without the trash"), command_expunge},
    {"archive", GROUP_FILE, IN_MAIL, "A", NULL, N_("Archive"), command_archive},
    {"save", GROUP_FILE, IN_MAIL, "s", "FOLDER", N_("Move to a folder"), command_save},
    {"copy", GROUP_FILE, IN_MAIL, "C", "FOLDER", N_("Copy to a folder"), command_copy},
    {"junk", GROUP_FILE, IN_MAIL, "X", NULL, N_("This is junk"), command_junk},
    {"not-junk", GROUP_FILE, IN_MAIL, "Esc X", NULL, N_("This is not junk"), command_not_junk},
    {"undo", GROUP_FILE, IN_MAIL | IN_OUTBOX | IN_FOLDERS, "u", NULL, N_("Take back the last change"), command_undo},
    {"undo-list", GROUP_FILE, IN_MAIL | IN_OUTBOX | IN_FOLDERS, "Esc u", NULL, N_("What can be taken back"), command_undo_list},
    {"undo-this", GROUP_FILE, IN_UNDO, "Enter, u", NULL, N_("Take back this change"), command_undo_this},
    {"save-part", GROUP_FILE, IN_PARTS, "s", "PATH", N_("Save the part to a file"), command_save_part},
    {"save-attachments", GROUP_FILE, IN_READER | IN_PARTS, "Esc s", "DIRECTORY", N_("Save all attachments into a directory"), command_save_all_parts},
    {"pipe", GROUP_FILE, IN_MAIL, "|", "COMMAND", N_("Pipe the message to a command"), command_pipe},
    {"print", GROUP_FILE, IN_MAIL, "p", NULL, N_("Print"), command_print},
    {"add-contact", GROUP_FILE, IN_MAIL, "a", NULL, N_("Keep the sender's name and address"), command_add_contact},

    {"mark", GROUP_MARK, IN_LIST, "t", NULL, N_("Mark the line, or take the mark away"), command_mark},
    {"mark-thread", GROUP_MARK, IN_LIST, "Esc T", NULL, N_("Mark everything up to the last mark"), command_mark_thread},
    {"mark-pattern", GROUP_MARK, IN_LIST, "T", "QUERY", N_("Mark what a query finds here"), command_mark_pattern},
    {"unmark-pattern", GROUP_MARK, IN_LIST, "Ctrl-U", "QUERY", N_("Take away the marks of what a query finds"), command_unmark_pattern},
    {"marked", GROUP_MARK, IN_LIST, "Semicolon", NULL, N_("The next command is for the marked messages"), command_marked},
    {"flag", GROUP_MARK, IN_MAIL, "F", NULL, N_("Flag as important, or take the flag away"), command_flag},
    {"toggle-unread", GROUP_MARK, IN_MAIL, "N", NULL, N_("Read or unread"), command_toggle_unread},
    {"set-flag", GROUP_MARK, IN_MAIL, "w", NULL, N_("Set a flag"), command_set_flag},
    {"clear-flag", GROUP_MARK, IN_MAIL, "W", NULL, N_("Clear a flag"), command_clear_flag},
    {"tag", GROUP_MARK, IN_MAIL, "Y", "+TAG -TAG", N_("Tags: +word adds, -word takes away"), command_tag},
    {"mark-all-read", GROUP_MARK, IN_LIST, "", NULL, N_("Everything in this folder counts as read"), command_mark_all_read},

    {"search", GROUP_FIND, IN_LIST, "/", "QUERY", N_("Search all mail, as you type"), command_search},
    {"search-next", GROUP_FIND, IN_LIST, "n", NULL, N_("The next line that fits the last search"), command_search_next},
    {"search-back", GROUP_FIND, IN_LIST, "Esc /", NULL, N_("The previous line that fits the last search"), command_search_back},
    {"limit", GROUP_FIND, IN_LIST, "l", "QUERY", N_("Show only what fits; * shows all"), command_limit},
    {"sort", GROUP_FIND, IN_LIST, "o", NULL, N_("Another order"), command_sort},
    {"sort-reverse", GROUP_FIND, IN_LIST, "O", NULL, N_("Another order, turned round"), command_sort_reverse},
    {"find", GROUP_FIND, IN_READER | IN_TEXT, "/", "TEXT", N_("Find in the text"), command_find_text},
    {"find-next", GROUP_FIND, IN_READER | IN_TEXT, "n", NULL, N_("Find the next place"), command_find_text_next},

    {"send", GROUP_COMPOSE, IN_COMPOSER, "y", NULL, N_("Send"), command_send},
    {"send-at", GROUP_COMPOSE, IN_COMPOSER, "Y", "TIME", N_("Send later: \"8:00\", \"tomorrow 9:00\", \"2 h\", \"fri\""), command_send_at},
    {"postpone", GROUP_COMPOSE, IN_COMPOSER, "P", NULL, N_("Keep in Drafts"), command_postpone},
    {"edit", GROUP_COMPOSE, IN_COMPOSER, "e, Enter", NULL, N_("Edit the text"), command_edit},
    {"edit-headers", GROUP_COMPOSE, IN_COMPOSER, "E", NULL, N_("Edit the text with its header"), command_edit_headers},
    {"edit-to", GROUP_COMPOSE, IN_COMPOSER, "t", NULL, N_("To"), command_edit_to},
    {"edit-cc", GROUP_COMPOSE, IN_COMPOSER, "c", NULL, N_("Cc"), command_edit_cc},
    {"edit-bcc", GROUP_COMPOSE, IN_COMPOSER, "b", NULL, N_("Bcc"), command_edit_bcc},
    {"edit-subject", GROUP_COMPOSE, IN_COMPOSER, "s", NULL, N_("Subject"), command_edit_subject},
    {"edit-reply-to", GROUP_COMPOSE, IN_COMPOSER, "r", NULL, N_("Reply-To"), command_edit_reply_to},
    {"edit-from", GROUP_COMPOSE, IN_COMPOSER, "f, Esc f", NULL, N_("From: another account or address"), command_edit_from},
    {"attach", GROUP_COMPOSE, IN_COMPOSER, "a", "FILE", N_("Attach a file"), command_attach},
    {"attach-message", GROUP_COMPOSE, IN_COMPOSER, "A", "ID", N_("Attach a message, by its number or Message-ID"), command_attach_message},
    {"detach", GROUP_COMPOSE, IN_COMPOSER, "D", NULL, N_("Drop an attachment"), command_detach},
    {"rename-attachment", GROUP_COMPOSE, IN_COMPOSER, "Ctrl-O", NULL, N_("Another name for an attachment"), command_rename_attachment},
    {"spell", GROUP_COMPOSE, IN_COMPOSER, "i", NULL, N_("Check the spelling (aspell or ispell)"), command_spell},

    {"change-folder", GROUP_VIEWS, IN_MAIL | IN_OUTBOX, "c", "FOLDER", N_("Go to a folder"), command_change_folder},
    {"folders", GROUP_VIEWS, IN_MAIL | IN_OUTBOX, "y", NULL, N_("The list of folders"), command_folders},
    {"side-bar", GROUP_VIEWS, IN_LIST, "Esc b", NULL, N_("Show or hide the side bar"), command_side_bar},
    {"folder-open", GROUP_VIEWS, IN_FOLDERS, "Enter, Space, c", NULL, N_("Go to this folder"), command_folder_open},
    {"folder-create", GROUP_VIEWS, IN_FOLDERS, "C", "NAME", N_("Make a folder"), command_folder_create},
    {"folder-rename", GROUP_VIEWS, IN_FOLDERS, "r", "NAME", N_("Rename this folder"), command_folder_rename},
    {"folder-delete", GROUP_VIEWS, IN_FOLDERS, "d", NULL, N_("Delete this folder and what lies in it"), command_folder_delete},
    {"folder-subscribe", GROUP_VIEWS, IN_FOLDERS, "s", NULL, N_("Subscribe, or no longer"), command_folder_subscribe},
    {"outbox", GROUP_VIEWS, IN_MAIL | IN_FOLDERS, "B", NULL, N_("The outbox: what waits, and what became of it"), command_outbox},
    {"outbox-open", GROUP_VIEWS, IN_OUTBOX, "Enter, Space", NULL, N_("Each attempt, with the server's answers"), command_outbox_open},
    {"outbox-retry", GROUP_VIEWS, IN_OUTBOX, "r", NULL, N_("Try again now"), command_outbox_retry},
    {"outbox-hold", GROUP_VIEWS, IN_OUTBOX, "h", NULL, N_("Hold back, or let go"), command_outbox_hold},
    {"outbox-cancel", GROUP_VIEWS, IN_OUTBOX, "d", NULL, N_("Do not send"), command_outbox_cancel},
    {"outbox-edit", GROUP_VIEWS, IN_OUTBOX, "e", NULL, N_("Take back and edit"), command_outbox_edit},
    {"outbox-flush", GROUP_VIEWS, IN_OUTBOX, "$", NULL, N_("Send everything now"), command_outbox_flush},
    {"outbox-all", GROUP_VIEWS, IN_OUTBOX, "a", NULL, N_("Show or hide what was sent"), command_outbox_all},
    {"help", GROUP_VIEWS, IN_ANY, "?, F1", NULL, N_("The keys, and all commands"), command_help},
    {"messages", GROUP_VIEWS, IN_ANY, "Esc m", NULL, N_("What the bottom line said before"), command_messages},

    {"command", GROUP_PROGRAM, IN_ANY, ":, Ctrl-P", NULL, N_("Find and run a command"), command_command},
    {"sync", GROUP_PROGRAM, IN_MAIL | IN_FOLDERS, "$", NULL, N_("Look at the servers now"), command_sync},
    {"off-line", GROUP_PROGRAM, IN_ANY, "", NULL, N_("Work off line, or on line again"), command_offline},
    {"setup", GROUP_PROGRAM, IN_ANY, "", NULL, N_("Add an account"), command_setup},
    {"shell", GROUP_PROGRAM, IN_ANY & ~IN_COMPOSER, "!", "COMMAND", N_("Run a shell command"), command_shell},
    {"theme", GROUP_PROGRAM, IN_ANY, "", "dusk|day|plain", N_("Other colours, for now"), command_theme},
    {"redraw", GROUP_PROGRAM, IN_ANY | IN_EDITOR, "Ctrl-L", NULL, N_("Draw the screen anew"), command_redraw},
    {"suspend", GROUP_PROGRAM, IN_ANY | IN_EDITOR, "Ctrl-Z", NULL, N_("Stop the program; fg brings it back"), command_suspend},
    {"version", GROUP_PROGRAM, IN_ANY, "V", NULL, N_("The program's version"), command_version},
    {"back", GROUP_PROGRAM, IN_ANY, "q", NULL, N_("Back; from the first list out of the program"), command_back},
    {"quit", GROUP_PROGRAM, IN_ANY & ~IN_COMPOSER, "x, Q", NULL, N_("Leave the program"), command_quit},
    {NULL},
};

static const struct key_choice aerc_keys[] = {
    {"next-folder", "J"},
    {"previous-folder", "K"},
    {"reply", "R r"},
    {"group-reply", "r r, r q"},
    {"forward", "f"},
    {"mail", "C, m"},
    {"mark", "v, Space"},
    {"mark-all-read", ""},
    {"archive", "a"},
    {"first", "g g, Home"},
    {"last", "G, End"},
    {"half-down", "Ctrl-D"},
    {"half-up", "Ctrl-U"},
    {"page-down", "Ctrl-F, PageDown"},
    {"page-up", "Ctrl-B, PageUp"},
    {"toggle-tree", "z a"},
    {"toggle-trees", "z M"},
    {"limit", "\\"},
    {"headers", "H"},
    {"shell", "$, !"},
    {"sync", "Ctrl-R"},
    {"change-folder", "c"},
    {"open", "Enter, l"},
    {NULL, NULL},
};

static const struct key_choice alpine_keys[] = {
    {"mail", "c"},
    {"reply", "r"},
    {"forward", "f"},
    {"folders", "l"},
    {"change-folder", "g"},
    {"search", "w"},
    {"limit", "\\"},
    {"marked", "a"},
    {"mark", ":"},
    {"mark-pattern", "Semicolon"},
    {"flag", "*"},
    {"sort", "$"},
    {"headers", "h"},
    {"parts", "v, >"},
    {"print", "%"},
    {"add-contact", "Esc a"},
    {"toggle-tree", "/"},
    {"expunge", "x"},
    {"sync", "Ctrl-R"},
    {"next", "n, j, Down"},
    {"previous", "p, k, Up"},
    {"next-message", "n, Right"},
    {"previous-message", "p, Left"},
    {"page-down", "PageDown, Ctrl-V"},
    {"page-up", "-, PageUp, Ctrl-Y"},
    {"back", "<, ,, q"},
    {"quit", "Q"},
    {"command", "Ctrl-P"},
    {"last", "End"},
    {"group-reply", "Esc r"},
    {"send", "Ctrl-X, y"},
    {"postpone", "Ctrl-O, P"},
    {NULL, NULL},
};

static const struct key_choice vi_keys[] = {
    {"first", "g g, Home"},
    {"last", "G, End"},
    {"half-down", "Ctrl-D"},
    {"half-up", "Ctrl-U"},
    {"page-down", "Ctrl-F, PageDown, z"},
    {"page-up", "Ctrl-B, PageUp, Z"},
    {"line-down", "Ctrl-E"},
    {"line-up", "Ctrl-Y"},
    {"scroll-down", "j, Down, Enter"},
    {"scroll-up", "k, Up, Backspace"},
    {"next-message", "J, Right"},
    {"previous-message", "K, Left"},
    {"open", "Enter, Space, o"},
    {"open-tree", "Right, z o"},
    {"close-tree", "Left, z c"},
    {"toggle-tree", "z a"},
    {"toggle-trees", "z M"},
    {"group-reply", "Esc r"},
    {"sort", "Esc o"},
    {"limit", "\\"},
    {"delete", "d d, Delete"},
    {"delete-thread", "d t"},
    {"top", "H"},
    {"middle", "M"},
    {NULL, NULL},
};

static const struct key_choice no_choices[] = {{NULL, NULL}};

static const struct {
    const char *name;
    const struct key_choice *choices;
} sets[] = {{"mutt", no_choices}, {"aerc", aerc_keys}, {"alpine", alpine_keys}, {"vi", vi_keys}};

const struct key_choice *
command_key_set(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
        if (name && !strcmp(sets[i].name, name))
            return sets[i].choices;
    return NULL;
}

const char *const *
command_key_set_names(void)
{
    static const char *names[G_N_ELEMENTS(sets) + 1];
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
        names[i] = sets[i].name;
    return names;
}
