/* command.c - the table of commands */
#include "config.h"

#include "cli/commands.h"

const struct cli_command *const cli_commands[] = {
    /* reading */
    &cmd_folders,
    &cmd_list,
    &cmd_search,
    &cmd_thread,
    &cmd_show,
    &cmd_stats,
    /* acting */
    &cmd_mark,
    &cmd_move,
    &cmd_copy,
    &cmd_delete,
    &cmd_archive,
    &cmd_junk,
    &cmd_notjunk,
    &cmd_undo,
    &cmd_rules,
    &cmd_block,
    &cmd_allow,
    &cmd_unsubscribe,
    /* sending */
    &cmd_send,
    &cmd_sendmail,
    &cmd_queue,
    &cmd_journey,
    &cmd_filter,
    /* the rest */
    &cmd_sync,
    &cmd_contacts,
    &cmd_import,
    &cmd_setup,
    &cmd_doctor,
    &cmd_demo,
    NULL,
};
