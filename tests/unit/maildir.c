/* maildir: batches survive a kill and a failing disk at each step; bytes, hashes and names; what is no
 * message */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/maildir.h"
#include "store/names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char mail[] = "Subject: x\r\n\r\nbody\r\nlone \r cr\r\n";
static const char kept[] = "Subject: x\n\nbody\nlone \r cr\n";

static guint
count(const char *dir, const char *part)
{
    g_autofree char *path = g_build_filename(dir, part, NULL);
    GDir *stream = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (stream && g_dir_read_name(stream))
        n++;
    if (stream)
        g_dir_close(stream);
    return n;
}

static void
test_deliver(void)
{
    g_autofree char *dir = g_dir_make_tmp("postrider-maildir-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    struct maildir_entry entry = {0}, sum = {0};
    mode_t old = umask(0);
    g_assert_true(maildir_deliver(dir, FLAG_SEEN | FLAG_FLAGGED, mail, strlen(mail), &entry, &error));
    umask(old);
    g_assert_true(g_str_has_suffix(entry.file, ":2,FS"));
    g_assert_cmpuint(entry.size, ==, strlen(kept));
    g_assert_cmpuint(entry.wire_size, ==, strlen(mail));
    g_assert_true(maildir_is_ours(entry.file));
    g_assert_cmpuint(maildir_name_flags(entry.file), ==, FLAG_SEEN | FLAG_FLAGGED);
    g_assert_null(strstr(entry.file, g_get_host_name()));
    g_autofree char *path = g_build_filename(dir, "cur", entry.file, NULL);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_autoptr(GBytes) bytes = maildir_read(path, &error);
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), kept, strlen(kept));
    g_assert_true(maildir_sum(path, &sum, &error));
    g_assert_cmpmem(sum.hash, 32, entry.hash, 32);
    g_assert_cmpuint(count(dir, "tmp"), ==, 0);

    /* Flags change, the unique part stays; found again whatever it is called. */
    g_autofree char *renamed = NULL;
    g_assert_true(maildir_rename_flags(dir, entry.file, FLAG_ANSWERED, &renamed, &error));
    g_assert_true(g_str_has_suffix(renamed, ":2,R"));
    g_autofree char *found = maildir_find(dir, entry.file),
                    *expected = g_build_filename("cur", renamed, NULL);
    g_assert_cmpstr(found, ==, expected);
    g_autofree char *none = NULL, *taken = NULL;
    g_assert_false(maildir_rename_flags(dir, entry.file, FLAG_SEEN, &none, &error)); /* that is not its name now */
    g_assert_error(error, MAILDIR_ERROR, ERROR_STALE);
    g_clear_error(&error);
    g_autofree char *fresh = g_build_filename(dir, "new", "plain", NULL);
    g_assert_true(g_file_set_contents(fresh, "x", 1, NULL));
    g_assert_true(maildir_rename_flags(dir, "plain", FLAG_SEEN, &taken, &error));
    g_assert_cmpstr(taken, ==, "plain:2,S");
    g_assert_cmpuint(count(dir, "new"), ==, 0);
    g_assert_true(g_file_set_contents(fresh, "x", 1, NULL));
    g_assert_false(maildir_rename_flags(dir, "plain", FLAG_SEEN, &none, &error)); /* never over another file */
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_autofree char *other = g_build_filename(dir, "cur", taken, NULL);
    g_assert_cmpint(g_unlink(other), ==, 0);
    g_autofree char *in_new = maildir_find(dir, "plain");
    g_assert_cmpstr(in_new, ==, "new/plain");
    g_assert_null(maildir_find(dir, "nobody"));
    maildir_entry_clear(&entry);
    remove_tree(dir);
}

/* The same content by memory, by descriptor and in pieces has the same hash. */
static void
test_same_hash(void)
{
    g_autofree char *dir = g_dir_make_tmp("postrider-maildir-XXXXXX", NULL);
    GString *big = g_string_new("Subject: big\r\n\r\n");
    while (big->len < 300000)
        g_string_append(big, "a line that ends at odd places\r\n\r");
    g_autofree char *file = g_build_filename(dir, "spool", NULL);
    g_assert_true(g_file_set_contents(file, big->str, (gssize)big->len, NULL));
    g_autoptr(struct_maildir_batch) batch = maildir_batch_new();
    int fd = open(file, O_RDONLY);
    g_assert_cmpint(lseek(fd, 0, SEEK_END), ==, (off_t)big->len); /* as who has just written it */
    g_assert_cmpint(maildir_batch_add(batch, dir, 0, big->str, big->len, NULL), ==, 0);
    g_assert_cmpint(maildir_batch_add_fd(batch, dir, 0, fd, NULL), ==, 1);
    close(fd);
    const struct maildir_entry *a = maildir_batch_entry(batch, 0), *b = maildir_batch_entry(batch, 1);
    g_assert_cmpmem(a->hash, 32, b->hash, 32);
    g_assert_cmpuint(a->size, ==, b->size);
    g_assert_true(maildir_batch_commit(batch, NULL));
    g_assert_cmpuint(count(dir, "cur"), ==, 2);
    maildir_batch_undo(batch);
    g_assert_cmpuint(count(dir, "cur"), ==, 0);
    g_string_free(big, TRUE);
    remove_tree(dir);
}

static void
test_not_a_message(void)
{
    g_autofree char *dir = g_dir_make_tmp("postrider-maildir-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(maildir_make(dir, NULL));
    static const char *const odd[] = {"fifo", "link", "dir", "bad\xff", "line\nbreak", ".dot"};
    for (guint i = 0; i < G_N_ELEMENTS(odd); i++) {
        g_autofree char *path = g_build_filename(dir, "cur", odd[i], NULL);
        switch (i) {
        case 0:
            g_assert_cmpint(mkfifo(path, 0600), ==, 0);
            break;
        case 1:
            g_assert_cmpint(symlink("/etc/passwd", path), ==, 0);
            break;
        case 2:
            g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
            break;
        default:
            g_assert_true(g_file_set_contents(path, "x", 1, NULL));
        }
        struct maildir_entry entry = {0};
        if (i < 3) { /* refused at once, never waited for */
            g_assert_null(maildir_read(path, &error));
            g_clear_error(&error);
            g_assert_false(maildir_sum(path, &entry, &error));
            g_clear_error(&error);
        }
    }
    g_autofree char *good = g_build_filename(dir, "new", "good", NULL);
    g_assert_true(g_file_set_contents(good, "x", 1, NULL));
    g_autoptr(GPtrArray) items = maildir_list(dir, notices, &error);
    g_assert_cmpuint(items->len, ==, 1);
    g_assert_true(((struct maildir_item *)items->pdata[0])->fresh);
    g_assert_cmpuint(notices->len, ==, 5);
    for (guint i = 0; i < notices->len; i++) /* safe to be shown */
        g_assert_true(g_utf8_validate(notices->pdata[i], -1, NULL) && !strchr(notices->pdata[i], '\n'));
    remove_tree(dir);
}

#ifdef FAILPOINTS
static int
batch_in_child(const char *dir, const char *rule, guint n)
{
    pid_t pid = fork();
    if (pid == 0) {
        g_setenv("POSTRIDER_FAIL", rule, TRUE);
        fail_reload();
        g_autoptr(struct_maildir_batch) batch = maildir_batch_new();
        gboolean ok = TRUE;
        for (guint i = 0; i < n; i++)
            ok = maildir_batch_add(batch, dir, 0, mail, strlen(mail), NULL) >= 0 && ok;
        ok = maildir_batch_commit(batch, NULL) && ok;
        maildir_batch_free(g_steal_pointer(&batch));
        _exit(ok ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    return status;
}

/* A kill at any step: in cur/ there are whole messages only. */
static void
test_kill(void)
{
    guint killed = 0;
    for (guint n = 2; n <= 6; n += 4)
        for (guint step = 1; step < 100; step++) {
            g_autofree char *dir = g_dir_make_tmp("postrider-maildir-XXXXXX", NULL);
            g_autofree char *rule = g_strdup_printf("#%u:kill", step);
            int status = batch_in_child(dir, rule, n);
            g_autofree char *cur = g_build_filename(dir, "cur", NULL);
            GDir *stream = g_dir_open(cur, 0, NULL);
            const char *name;
            while (stream && (name = g_dir_read_name(stream))) {
                g_autofree char *path = g_build_filename(cur, name, NULL);
                g_autoptr(GBytes) bytes = maildir_read(path, NULL);
                g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), kept, strlen(kept));
            }
            if (stream)
                g_dir_close(stream);
            if (WIFSIGNALED(status)) {
                killed++;
                remove_tree(dir);
                continue;
            }
            g_assert_cmpint(status, ==, 0); /* past the last step */
            g_assert_cmpuint(count(dir, "cur"), ==, n);
            remove_tree(dir);
            break;
        }
    g_test_message("%u kills", killed);
    g_assert_cmpuint(killed, >=, 20);
}

/* A full or broken disk at any call: an error, and nothing of the batch in cur/ or tmp/. */
static void
test_full_disk(void)
{
    static const char *const steps[] = {"maildir.mkdir",     "maildir.create", "maildir.write",
                                        "maildir.fdatasync", "maildir.rename", "maildir.fsync-dir"};
    static const char *const errors[] = {"ENOSPC", "EIO", "EDQUOT"};
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
        for (guint e = 0; e < G_N_ELEMENTS(errors); e++) {
            g_autofree char *dir = g_dir_make_tmp("postrider-maildir-XXXXXX", NULL);
            g_autofree char *rule = g_strdup_printf("%s:%s+", steps[i], errors[e]);
            int status = batch_in_child(dir, rule, 3);
            g_assert_true(WIFEXITED(status));
            g_assert_cmpint(WEXITSTATUS(status), ==, 1);
            g_assert_cmpuint(count(dir, "cur"), ==, 0);
            g_assert_cmpuint(count(dir, "tmp"), ==, 0);
            remove_tree(dir);
        }
    g_autofree char *dir = g_dir_make_tmp("postrider-maildir-XXXXXX", NULL);
    g_assert_cmpint(WEXITSTATUS(batch_in_child(dir, "maildir.syncfs:EIO", 10)), ==, 1);
    g_assert_cmpuint(count(dir, "cur"), ==, 0);
    remove_tree(dir);
}
#endif

static void
test_names(void)
{
    g_autoptr(struct_names) names = names_new();
    gboolean fresh;
    gsize at = 0;
    g_assert_null(names_next(names, &at, &fresh));
    for (guint i = 0; i < 10000; i++) {
        g_autofree char *file = g_strdup_printf("%u.x:2,%s", i, i % 2 ? "S" : "");
        names_add(names, file, FALSE);
    }
    names_add(names, "7.x:2,S", TRUE); /* the same in new/ */
    for (guint i = 0; i < 10000; i++) {
        g_autofree char *file = g_strdup_printf("%u.x:2,%s", i, i % 2 ? "S" : "");
        if (i != 5000)
            g_assert_true(names_take(names, file));
        if (i != 7 && i != 5000)
            g_assert_false(names_take(names, file));
    }
    g_assert_true(names_take(names, "7.x:2,S"));
    g_assert_false(names_take(names, "7.x:2,S"));
    g_assert_false(names_take(names, "7.x:2,"));
    g_assert_false(names_take(names, ""));
    g_assert_cmpstr(names_next(names, &at, &fresh), ==, "5000.x:2,");
    g_assert_false(fresh);
    g_assert_null(names_next(names, &at, &fresh));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/maildir/deliver", test_deliver);
    g_test_add_func("/maildir/same-hash", test_same_hash);
    g_test_add_func("/maildir/not-a-message", test_not_a_message);
#ifdef FAILPOINTS
    g_test_add_func("/maildir/kill", test_kill);
    g_test_add_func("/maildir/full-disk", test_full_disk);
#endif
    g_test_add_func("/maildir/names", test_names);
    return g_test_run();
}
