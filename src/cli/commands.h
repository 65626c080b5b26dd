/* commands.h - the entries of the table, each defined in the file of its function */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct cli_command cmd_folders, cmd_list, cmd_search, cmd_thread, cmd_show, cmd_stats;
extern const struct cli_command cmd_mark, cmd_move, cmd_copy, cmd_delete, cmd_archive, cmd_junk, cmd_notjunk, cmd_undo, cmd_rules, cmd_block, cmd_allow, cmd_unsubscribe;
extern const struct cli_command cmd_send, cmd_sendmail, cmd_queue, cmd_journey, cmd_filter;
extern const struct cli_command cmd_sync, cmd_contacts, cmd_import, cmd_setup, cmd_doctor, cmd_demo;

#endif
