#include "config.h"

#include "mail/mimetype.h"

#include <string.h>

/* The first extension of a type is the one that is written. */
static const struct {
    const char *extension, *type;
} types[] = {
    {"txt", "text/plain"},
    {"text", "text/plain"},
    {"md", "text/markdown"},
    {"log", "text/plain"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"ics", "text/calendar"},
    {"vcf", "text/vcard"},
    {"patch", "text/x-patch"},
    {"diff", "text/x-diff"},
    {"c", "text/x-c"},
    {"h", "text/x-c"},
    {"py", "text/x-python"},
    {"sh", "text/x-shellscript"},
    {"tex", "text/x-tex"},
    {"eml", "message/rfc822"},
    {"pdf", "application/pdf"},
    {"ps", "application/postscript"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"js", "text/javascript"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tgz", "application/gzip"},
    {"bz2", "application/x-bzip2"},
    {"xz", "application/x-xz"},
    {"zst", "application/zstd"},
    {"7z", "application/x-7z-compressed"},
    {"tar", "application/x-tar"},
    {"rtf", "application/rtf"},
    {"doc", "application/msword"},
    {"xls", "application/vnd.ms-excel"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"epub", "application/epub+zip"},
    {"asc", "application/pgp-keys"},
    {"sig", "application/pgp-signature"},
    {"p7s", "application/pkcs7-signature"},
    {"p7m", "application/pkcs7-mime"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"bmp", "image/bmp"},
    {"tiff", "image/tiff"},
    {"tif", "image/tiff"},
    {"heic", "image/heic"},
    {"ico", "image/vnd.microsoft.icon"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"oga", "audio/ogg"},
    {"opus", "audio/opus"},
    {"flac", "audio/flac"},
    {"wav", "audio/x-wav"},
    {"m4a", "audio/mp4"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"mkv", "video/x-matroska"},
    {"mov", "video/quicktime"},
    {"avi", "video/x-msvideo"},
};

static const struct {
    const char *magic;
    gsize length;
    const char *type;
} magics[] = {
    {"%PDF-", 5, "application/pdf"},
    {"\x89PNG\r\n", 6, "image/png"},
    {"\xff\xd8\xff", 3, "image/jpeg"},
    {"GIF8", 4, "image/gif"},
    {"PK\003\004", 4, "application/zip"},
    {"\x1f\x8b", 2, "application/gzip"},
    {"\xfd"
     "7zXZ",
     5, "application/x-xz"},
    {"BZh", 3, "application/x-bzip2"},
};

static gboolean
looks_like_text(const char *bytes, gsize length)
{
    gsize n = MIN(length, 65536);
    for (gsize i = 0; i < n; i++)
        if ((guchar)bytes[i] < 0x20 && !strchr("\t\n\r\f\033", bytes[i]))
            return FALSE;
    if (memchr(bytes, 0, n))
        return FALSE;
    const char *end;
    return g_utf8_validate_len(bytes, n, &end) || (n < length && end > bytes + n - 6);
}

const char *
mimetype_guess(const char *name, const char *bytes, gsize length)
{
    const char *dot = name ? strrchr(name, '.') : NULL;
    const char *type = NULL;
    for (gsize i = 0; dot && !type && i < G_N_ELEMENTS(types); i++)
        if (g_ascii_strcasecmp(dot + 1, types[i].extension) == 0)
            type = types[i].type;
    if (type) /* a name that promises text must hold it */
        return g_str_has_prefix(type, "text/") && !looks_like_text(bytes, length) ? "application/octet-stream"
                                                                                  : type;
    for (gsize i = 0; i < G_N_ELEMENTS(magics); i++)
        if (length >= magics[i].length && memcmp(bytes, magics[i].magic, magics[i].length) == 0)
            return magics[i].type;
    return length && looks_like_text(bytes, length) ? "text/plain" : "application/octet-stream";
}

const char *
mimetype_extension(const char *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_equal(type, types[i].type))
            return types[i].extension;
    return "bin";
}
