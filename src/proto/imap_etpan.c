/* The deep grammars, parsed by libetpan. It gets one whole response from memory: a mailstream of ours whose
 * end is an error, as its literal reader would spin at a polite end of file (RELIABILITY 0.7). */
#include "config.h"

#include "proto/imap_private.h"

#include <libetpan/libetpan.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DEPTH_MAX 100 /* libetpan recurses; the guard of the stream has the same limit */
#define PARTS_MAX 1000

/* ---- a mailstream on memory ---- */

struct memory {
    const char *at;
    gsize left;
};

static ssize_t
memory_read(mailstream_low *low, void *bytes, size_t size)
{
    struct memory *memory = low->data;
    gsize n = MIN(size, memory->left);
    if (n == 0)
        return -1;
    memcpy(bytes, memory->at, n);
    memory->at += n;
    memory->left -= n;
    return (ssize_t)n;
}

static ssize_t
memory_write(mailstream_low *low G_GNUC_UNUSED, const void *bytes G_GNUC_UNUSED, size_t size G_GNUC_UNUSED)
{
    return -1; /* it is only ever asked to read */
}

static int
memory_close(mailstream_low *low G_GNUC_UNUSED)
{
    return 0;
}

static int
memory_get_fd(mailstream_low *low G_GNUC_UNUSED)
{
    return -1;
}

static void
memory_free(mailstream_low *low)
{
    free(low); /* the driver's duty; the data are the caller's */
}

static void
memory_cancel(mailstream_low *low G_GNUC_UNUSED)
{
}

static mailstream_low_driver memory_driver = {
    .mailstream_read = memory_read,
    .mailstream_write = memory_write,
    .mailstream_close = memory_close,
    .mailstream_get_fd = memory_get_fd,
    .mailstream_free = memory_free,
    .mailstream_cancel = memory_cancel,
};

static gboolean
is_too_deep(const char *bytes, gsize length)
{
    guint depth = 0;
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] == '(' && ++depth > DEPTH_MAX)
            return TRUE;
        if (bytes[i] == ')' && depth > 0)
            depth--;
    }
    return FALSE;
}

/* Lets libetpan read "* …" and the end of a command behind it; then `take` looks at what it understood. */
static gboolean
parse(const char *before, const char *bytes, gsize length, const char *after,
      void (*take)(const struct mailimap_response_info *info, gpointer data), gpointer data)
{
    if (length == 0 || memchr(bytes, 0, length) || is_too_deep(bytes, length))
        return FALSE;
    g_autoptr(GString) text = g_string_new(before);
    g_string_append_len(text, bytes, (gssize)length);
    g_string_append_printf(text, "%s\r\n1 OK done\r\n", after);
    struct memory memory = {text->str, text->len};
    mailimap *session = mailimap_new(0, NULL);
    mailstream_low *low = session ? mailstream_low_new(&memory, &memory_driver) : NULL;
    mailstream *stream = low ? mailstream_new(low, 16 * 1024) : NULL;
    if (!stream)
        g_error("libetpan: out of memory");
    session->imap_stream = stream;
    session->imap_tag = 1;
    struct mailimap_response *response = NULL;
    gboolean done =
        mailimap_read_line(session) && mailimap_parse_response(session, &response) == MAILIMAP_NO_ERROR;
    if (done && session->imap_response_info)
        take(session->imap_response_info, data);
    if (response)
        mailimap_response_free(response);
    session->imap_stream = NULL; /* else it would say LOGOUT and wait */
    mailstream_close(stream);
    mailimap_free(session);
    return done;
}

/* ---- BODYSTRUCTURE ---- */

static void
part_free(gpointer data)
{
    struct imap_part *part = data;
    g_free(part->section);
    g_free(part->type);
    g_free(part->subtype);
    g_free(part->charset);
    g_free(part->filename);
    g_free(part->disposition);
    g_free(part->encoding);
    g_free(part);
}

/* RFC 2231 pieces ("filename*0") are left as they are for the message itself to show; the plain and the
 * extended form are taken. */
static const char *
find_parameter(const struct mailimap_body_fld_param *parameters, const char *name)
{
    if (!parameters)
        return NULL;
    g_autofree char *extended = g_strconcat(name, "*", NULL);
    for (clistiter *i = clist_begin(parameters->pa_list); i; i = clist_next(i)) {
        const struct mailimap_single_body_fld_param *parameter = clist_content(i);
        if (!g_ascii_strcasecmp(parameter->pa_name, name) ||
            !g_ascii_strcasecmp(parameter->pa_name, extended))
            return parameter->pa_value;
    }
    return NULL;
}

static const char *
encoding_name(const struct mailimap_body_fld_enc *encoding)
{
    switch (encoding ? encoding->enc_type : MAILIMAP_BODY_FLD_ENC_7BIT) {
    case MAILIMAP_BODY_FLD_ENC_8BIT:
        return "8bit";
    case MAILIMAP_BODY_FLD_ENC_BINARY:
        return "binary";
    case MAILIMAP_BODY_FLD_ENC_BASE64:
        return "base64";
    case MAILIMAP_BODY_FLD_ENC_QUOTED_PRINTABLE:
        return "quoted-printable";
    case MAILIMAP_BODY_FLD_ENC_OTHER:
        return encoding->enc_value;
    default:
        return "7bit";
    }
}

static const char *
basic_type(const struct mailimap_media_basic *media)
{
    switch (media->med_type) {
    case MAILIMAP_MEDIA_BASIC_APPLICATION:
        return "application";
    case MAILIMAP_MEDIA_BASIC_AUDIO:
        return "audio";
    case MAILIMAP_MEDIA_BASIC_IMAGE:
        return "image";
    case MAILIMAP_MEDIA_BASIC_MESSAGE:
        return "message";
    case MAILIMAP_MEDIA_BASIC_VIDEO:
        return "video";
    default:
        return media->med_basic_type;
    }
}

static char *
lower(const char *text)
{
    return g_ascii_strdown(text ? text : "", -1);
}

static void
add_leaf(const struct mailimap_body_type_1part *body, const char *section, GPtrArray *parts)
{
    const char *type = "text", *subtype = NULL;
    const struct mailimap_body_fields *fields;
    if (body->bd_type == MAILIMAP_BODY_TYPE_1PART_TEXT) {
        subtype = body->bd_data.bd_type_text->bd_media_text;
        fields = body->bd_data.bd_type_text->bd_fields;
    } else if (body->bd_type == MAILIMAP_BODY_TYPE_1PART_MSG) {
        type = "message"; /* an attached message is one leaf: its parts are its own */
        subtype = "rfc822";
        fields = body->bd_data.bd_type_msg->bd_fields;
    } else {
        type = basic_type(body->bd_data.bd_type_basic->bd_media_basic);
        subtype = body->bd_data.bd_type_basic->bd_media_basic->med_subtype;
        fields = body->bd_data.bd_type_basic->bd_fields;
    }
    const struct mailimap_body_fld_dsp *disposition =
        body->bd_ext_1part ? body->bd_ext_1part->bd_disposition : NULL;
    const char *filename = disposition ? find_parameter(disposition->dsp_attributes, "filename") : NULL;
    if (!filename)
        filename = find_parameter(fields->bd_parameter, "name");
    const char *charset = find_parameter(fields->bd_parameter, "charset");
    struct imap_part *part = g_new0(struct imap_part, 1);
    part->section = g_strdup(section);
    part->type = lower(type);
    part->subtype = lower(subtype);
    part->charset = g_strdup(charset ? charset : "");
    part->filename = g_strdup(filename ? filename : "");
    part->disposition = lower(disposition ? disposition->dsp_type : NULL);
    part->encoding = lower(encoding_name(fields->bd_encoding));
    part->size = fields->bd_size;
    g_ptr_array_add(parts, part);
}

/* Bounded by DEPTH_MAX, as the text was. */
static void
add_parts(const struct mailimap_body *body, const char *section, GPtrArray *parts)
{
    if (parts->len >= PARTS_MAX)
        return;
    if (body->bd_type == MAILIMAP_BODY_1PART) {
        add_leaf(body->bd_data.bd_body_1part, *section ? section : "1", parts);
        return;
    }
    guint number = 1;
    for (clistiter *i = clist_begin(body->bd_data.bd_body_mpart->bd_list); i; i = clist_next(i)) {
        g_autofree char *below = g_strdup_printf("%s%s%u", section, *section ? "." : "", number++);
        add_parts(clist_content(i), below, parts);
    }
}

static void
take_structure(const struct mailimap_response_info *info, gpointer data)
{
    if (!info->rsp_fetch_list)
        return;
    for (clistiter *i = clist_begin(info->rsp_fetch_list); i; i = clist_next(i)) {
        const struct mailimap_msg_att *message = clist_content(i);
        for (clistiter *j = clist_begin(message->att_list); j; j = clist_next(j)) {
            const struct mailimap_msg_att_item *item = clist_content(j);
            if (item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC &&
                item->att_data.att_static->att_type == MAILIMAP_MSG_ATT_BODYSTRUCTURE)
                add_parts(item->att_data.att_static->att_data.att_bodystructure, "", data);
        }
    }
}

GPtrArray *
imap_etpan_structure(const struct slice *value)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(part_free);
    if (value->bytes &&
        parse("* 1 FETCH (BODYSTRUCTURE ", value->bytes, value->length, ")", take_structure, parts) &&
        parts->len > 0)
        return parts;
    g_ptr_array_unref(parts);
    return NULL;
}

/* ---- ID ---- */

static const void *
find_extension(const struct mailimap_response_info *info, int id)
{
    if (!info->rsp_extension_list)
        return NULL;
    for (clistiter *i = clist_begin(info->rsp_extension_list); i; i = clist_next(i)) {
        const struct mailimap_extension_data *data = clist_content(i);
        if (data->ext_extension->ext_id == id)
            return data->ext_data;
    }
    return NULL;
}

static void
take_id(const struct mailimap_response_info *info, gpointer data)
{
    const struct mailimap_id_params_list *found = find_extension(info, MAILIMAP_EXTENSION_ID);
    const char *name = NULL, *version = NULL;
    if (!found || !found->idpa_list)
        return;
    for (clistiter *i = clist_begin(found->idpa_list); i; i = clist_next(i)) {
        const struct mailimap_id_param *parameter = clist_content(i);
        if (!g_ascii_strcasecmp(parameter->idpa_name, "name"))
            name = parameter->idpa_value;
        else if (!g_ascii_strcasecmp(parameter->idpa_name, "version"))
            version = parameter->idpa_value;
    }
    if (name && *name)
        *(char **)data = g_strdup_printf("%s%s%.40s", name, version ? " " : "", version ? version : "");
}

char *
imap_etpan_id(const struct lex *value)
{
    g_autofree char *name = NULL;
    if (!parse("* ID ", value->at, (gsize)(value->end - value->at), "", take_id, &name) || !name)
        return NULL;
    struct slice text = {name, strlen(name)};
    return reply_words(&text);
}
