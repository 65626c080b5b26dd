/* commands.h - the functions behind the command table, by the file they live in */
#ifndef UI_COMMANDS_H
#define UI_COMMANDS_H

struct app;
#define COMMAND(name) void command_##name(struct app *app, const char *argument)

/* sender_commands.c */
COMMAND(block);
COMMAND(allow);

/* unsubscribe.c */
COMMAND(unsubscribe);

/* list_server.c */
COMMAND(ask_servers);

/* list_chips.c */
COMMAND(widen);

/* app_commands.c */
COMMAND(next);
COMMAND(previous);
COMMAND(page_down);
COMMAND(page_up);
COMMAND(half_down);
COMMAND(half_up);
COMMAND(first);
COMMAND(last);
COMMAND(top);
COMMAND(middle);
COMMAND(bottom);
COMMAND(line_down);
COMMAND(line_up);
COMMAND(back);
COMMAND(quit);
COMMAND(command);
COMMAND(help);
COMMAND(messages);
COMMAND(redraw);
COMMAND(suspend);
COMMAND(shell);
COMMAND(sync_now);
COMMAND(offline);
COMMAND(undo);
COMMAND(undo_list);
COMMAND(undo_this);
COMMAND(theme);
COMMAND(version);

/* list_commands.c */
COMMAND(open);
COMMAND(close_tree);
COMMAND(open_tree);
COMMAND(toggle_tree);
COMMAND(toggle_trees);
COMMAND(conversations);
COMMAND(side_bar);
COMMAND(next_folder);
COMMAND(previous_folder);
COMMAND(mark);
COMMAND(mark_pattern);
COMMAND(unmark_pattern);
COMMAND(mark_thread);
COMMAND(marked);
COMMAND(sort);
COMMAND(sort_reverse);
COMMAND(jump);
COMMAND(split);
COMMAND(next_split);
COMMAND(previous_split);
COMMAND(save_search);
COMMAND(rename_search);
COMMAND(delete_search);
COMMAND(next_unread);
COMMAND(previous_unread);

/* list_search.c */
COMMAND(search);
COMMAND(search_back);
COMMAND(search_next);
COMMAND(limit);
COMMAND(thread);

/* mail_commands.c: the list and the reader */
COMMAND(flag);
COMMAND(toggle_unread);
COMMAND(set_flag);
COMMAND(clear_flag);
COMMAND(tag);
COMMAND(delete);
COMMAND(delete_thread);
COMMAND(expunge);
COMMAND(archive);
COMMAND(junk);
COMMAND(not_junk);
COMMAND(save);
COMMAND(copy);
COMMAND(mark_all_read);
COMMAND(change_folder);
COMMAND(pipe);
COMMAND(print);
COMMAND(add_contact);
COMMAND(raw);
COMMAND(edit_message);

/* thread_commands.c */
COMMAND(join_thread);
COMMAND(break_thread);
COMMAND(mute);

/* read_commands.c */
COMMAND(next_message);
COMMAND(previous_message);
COMMAND(read_on);
COMMAND(quotes);
COMMAND(headers);
COMMAND(html);
COMMAND(open_link);
COMMAND(links);
COMMAND(find_text);
COMMAND(find_text_next);

/* parts.c */
COMMAND(parts);
COMMAND(open_part);
COMMAND(save_part);
COMMAND(pipe_part);
COMMAND(save_all_parts);

/* compose_commands.c */
COMMAND(mail);
COMMAND(reply);
COMMAND(group_reply);
COMMAND(list_reply);
COMMAND(forward);
COMMAND(forward_attached);
COMMAND(bounce);
COMMAND(resend);
COMMAND(recall);
COMMAND(send);
COMMAND(send_at);
COMMAND(postpone);
COMMAND(edit);
COMMAND(edit_headers);
COMMAND(edit_to);
COMMAND(edit_cc);
COMMAND(edit_bcc);
COMMAND(edit_subject);
COMMAND(edit_reply_to);
COMMAND(edit_from);
COMMAND(attach);
COMMAND(attach_message);
COMMAND(detach);
COMMAND(rename_attachment);
COMMAND(spell);

/* outbox.c */
COMMAND(outbox);
COMMAND(outbox_open);
COMMAND(outbox_retry);
COMMAND(resend_failed);
COMMAND(outbox_hold);
COMMAND(outbox_cancel);
COMMAND(outbox_edit);
COMMAND(outbox_flush);
COMMAND(outbox_all);

/* stats.c */
COMMAND(stats);

/* folders.c */
COMMAND(folders);
COMMAND(folder_open);
COMMAND(folder_create);
COMMAND(folder_rename);
COMMAND(folder_delete);
COMMAND(folder_subscribe);

/* journey.c */
COMMAND(journey);

/* sync.c, sync_detail.c */
COMMAND(sync);
COMMAND(sync_open);
COMMAND(sync_this);
COMMAND(sync_agree);
COMMAND(sync_pause);
COMMAND(sync_folder);

/* setup.c */
COMMAND(setup);

#endif
