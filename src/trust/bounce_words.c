/* bounce_words.c - what servers say when they refuse: reply codes, enhanced codes, and words in many languages */
#include "config.h"

#include "trust/bounce_private.h"

#include <string.h>

/* Fragments of what servers say, in lower case, the more telling first, and what they mean (RFC 3463, without the
 * class). */
static const struct {
    const char *detail;
    const char *words; /* separated by | */
} sayings[] = {
    {"4.6", "mail loop|too many hops|loops back|looping|hop count|routing loop|mail forwarding loop|schleife"},
    {"2.2",
     "mailbox full|mailbox is full|too many messages on|too many messages in|zuviele mails|mailbox for this user is full|mailbox too full|full mailbox|mail box full|mail box is "
     "full|inbox is full|inbox full|account is full|folder is full|mailfolder is full|over quota|overquota|over disk "
     "quota|over the quota|over its quota|quota exceeded|exceeded quota|quota exceed|exceeds quota|exceeds their "
     "quota|exceeded their quota|exceeded its quota|exceeded his quota|disk quota|mail quota|storage quota|mailbox quota|quota "
     "has been|quota is full|quota violation|storage allocation|storage limit|exceeded storage|exceeded their storage|out of "
     "storage|out of space|not enough storage|not enough space|not enough disk|insufficient disk|insufficient "
     "storage|insufficient space|insufficient system storage|too much mail data|mailbox exceed|mailbox has exceeded|mailbox size "
     "limit|mailbox would exceed|exceeds mailbox|maildir over|user is over|box is full|no space left|is over the storage|"
     "postfach ist voll|postfach voll|postfach überfüllt|speicherplatz|boîte pleine|boite pleine|boîte aux lettres est "
     "pleine|boite aux lettres est pleine|quota dépassé|dépasse son quota|buzón lleno|buzon lleno|buzón está lleno|cuota "
     "excedida|casella piena|casella è piena|casella e' piena|caixa cheia|caixa de correio cheia|caixa postal cheia|cota "
     "excedida|skrzynka jest pełna|skrzynka pełna|przepełniona|przekroczony limit|postvak is vol|postbus vol|mailbox vol|"
     "переполнен|ящик полон|превышен лимит|容量オーバー|容量を超|容量がいっぱい|メールボックスがいっぱい|メールボックスが一杯|邮箱已满|信箱已满|空间不足|"
     "信箱已滿|空間不足|메일함이 가득|용량 초과"},
    {"7.1.relay", "rcpthosts|as a relay"}, /* before "that domain isn't" */
    {"3.4",
     "message too large|message is too large|message too big|message is too big|message size exceeds|message size limit|size "
     "limit exceeded|exceeds size limit|exceeds the size|exceeds message size|exceeds maximum|exceeds the maximum|exceeded "
     "maximum size|exceeded message size|message length exceeds|message exceeded|message exceeds|maximum message size|max message "
     "size|larger than the|larger than|mail size limit|mail is too|too long for|oversized|is too large|too much data|size "
     "exceeds|class=size|file too big|nachricht zu gross|nachricht ist zu gro|zu groß|zu gross|trop volumineux|trop gros|demasiado "
     "grande|troppo grande|muito grande|za duża|te groot|слишком больш|превышает максималь|サイズが大き|サイズ制限|邮件太大|邮件过大|郵件太大|"
     "태그가 너무|너무 큽니다"},
    {"1.10", "nullmx|null mx|does not accept mail|does not accept e-mail|domain accepts no mail"},
    {"1.2",
     "host unknown|unknown host|host not found|domain not found|no such domain|no such host|unknown domain|domain "
     "unknown|unrouteable mail domain|unroutable mail domain|unrouteable domain|name or service not known|nxdomain|domain does "
     "not exist|domain doesn't exist|domain name not found|domain could not be found|domain is not valid|invalid domain|domain "
     "isn't|couldn't find any host|could not find any host|couldn't find a mail exchanger|find the domain|can't find the "
     "domain|no mail exchanger|non-existent domain|nonexistent domain|nonexistent host|non-existent host|bad destination "
     "host|bad destination system|no mx record|no valid mx|no valid hosts|dns error|dns server returned|dns lookup fail|name "
     "server: |name service error|host or domain name not found|no dns|illegal host|all relevant mx records|domain is not set "
     "up|domain unbekannt|host unbekannt|domaine inconnu|dominio desconocido|dominio no existe|dominio inesistente|nieznana "
     "domena|domein onbekend|неизвестный домен|домен не|домена не|ドメインが見つかりません|ドメインが存在|域名不存在|找不到域名"},
    {"1.6",
     "has moved|user moved|moved to|no longer works here|no longer at this address|no longer employed|no longer with|has left "
     "the|no longer in use|address has changed|address changed|please forward to|please try <|user not local; please"},
    {"2.1",
     "disabled|suspended|deactivated|inactive|account is expired|account expired|account has expired|is expired|discontinued|"
     "account locked|account is locked|account closed|account has been closed|account is closed|no longer active|no longer "
     "valid|is not active|not active|not an active|not activated|account has been blocked|mailbox is blocked|mailbox blocked|mailbox is "
     "locked|account is blocked|not receiving mail|cannot receive|can't receive|"
     "temporarily unable to receive|deleted|terminated|deaktiviert|gesperrt|désactivé|desactivad|cancelad|disabilitata|disattivata|"
     "zablokowan|отключен|заблокирован|неактивн|удален|停用|已被禁用|已禁用|无效用户|휴면"},
    {"7.1.greylist", "greylist|graylist|grey list|gray list|grey-list|try again in|please retry later|sender is unknown to us yet"},
    {"1.8",
     "domain of sender|sender domain|sender's domain|sender address rejected|sender rejected|sender verify|sender "
     "unverified|invalid sender|bad sender|sender not|unresolvable sender|from domain must|domain of the sender|sender "
     "callout|sender nn|unroutable sender|unrouteable sender|your address was not|client was not authenticated to send anonymous"},
    {"7.1.relay",
     "relaying denied|relay access denied|relay denied|relay not permitted|relaying not|relaying is not|relay is not|unable to "
     "relay|cannot relay|can't relay|not permitted to relay|no relaying|open relay|rcpthosts|we do not relay|do not relay|"
     "relaying from|relay from|relay prohibited|relaying prohibited|relaying temporarily denied|not a gateway|need to "
     "authenticate|authentication required|authentication is required|must authenticate|you must login"},
    {"7.1.reputation",
     "blocked using|blacklist|blocklist|black list|block list|spamhaus|spamcop|barracudacentral|sorbs|dnsbl|rbl|reputation|"
     "client host|is listed|listed by|listed on|listed at|ip address|your ip|your host|connection rejected|no ptr|reverse "
     "dns|reverse lookup|ptr record"},
    {"7.1.content",
     "unsolicited|spam|junk mail|bulk mail|bulk email|bulk e-mail|mass mailer|uribl|virus|malware|trojan|infected|banned|attachment|executable|content reject|message "
     "content|content filter|content of your|content denied|rejected due to content|rejected by header|rejected by "
     "content|suspicio|垃圾"},
    {"7.1",
     "policy|dmarc|dkim|spf |spf-|spf:|spf)|message rejected|message refused|message denied|mail rejected|mail refused|transaction "
     "failed|administrative prohibition|administratively|not authorized|not authorised|unauthorized|not allowed|not permitted|not "
     "authenticated|permission|access denied|access not|denied|prohibited|forbidden|delivery not authorized|restricted|"
     "only accept|do not accept|does not accept|blocked by|has been blocked|was blocked|is blocked|been blocked|rejected your "
     "message|refused your message|not accepted|been rejected|was rejected|"
     "abgelehnt|verweigert|zurückgewiesen|refusé|rechazad|rifiutat|recusad|rejeitad|odrzucon|отклонен|отвергнут|отказано|拒否|拒绝|拒絕"},
    {"2.1", "not accepting mail|not accepting messages|not accept messages"},
    {"4.7",
     "retry timeout exceeded|retry time not reached|delivery time expired|too long in|queue too long|queue for too long|message "
     "expired|has expired|maximum time|maximum retry|maximum delivery|exceeded maximum|delivery attempts|been in the queue|not "
     "delivered within|queue lifetime|allowed queue|queue period|failing for a long time|long time|timeout exceeded|retry limit|"
     "time limit|giving up|gave up|could not send message for|undelivered for|no longer be retried|stop trying|have been trying|"
     "been trying|expired|not been delivered after|abgelaufen|délai|expirado|scaduto|истек|超时"},
    {"4.2", "lost connection|connection dropped|connection lost|connection was dropped|connection reset|broken pipe|connection broken|"
            "conversation with|closed the connection|connection closed|unexpectedly closed|connection died|connection was closed|"
            "dropped the connection"},
    {"4.1",
     "connection refused|connection timed out|timed out|no route to host|network is unreachable|network unreachable|no "
     "answer|not responding|not respond|did not respond|could not connect|couldn't connect|cannot connect|unable to "
     "connect|can't connect|wasn't able to establish|unreachable|not reachable|no response|failed to connect|connection "
     "fail|connect to |is down|host down|timeout|establish an smtp|nicht erreichbar|injoignable|inaccesible|irraggiungibile|"
     "недоступен|接続できません|无法连接"},
    {"5.3", "too many recipients|recipient limit|too many addresses"},
    {"3.2", "service unavailable|service currently unavailable|service not available|service temporarily|temporarily unavailable|system not accepting|server "
            "busy|system busy|too busy|resources temporarily|temporary failure|temporary problem|temporary lookup|temporarily "
            "deferred|temporarily rejected|try again later|try later|local error|local problem|local configuration|internal "
            "error|server error|system error|relay quota|sending quota|sending limit|too many connections|too many messages|rate limit|deferred|throttl|deferring"},
};

/* "No such user" in its many ways: by themselves weaker than the reasons above, which may stand beside them, but for the
 * unmistakable ones. */
static const char unknown_user[] =
    "user unknown|unknown user|no such user|no such recipient|no such mailbox|no such address|no such account|no such "
    "person|no such local|no such name|no such alias|no mail box|no mailbox here|no mailbox by|no mailbox|no user|no account|no "
    "recipient|mailbox not found|mailbox unavailable|mailbox unknown|unknown mailbox|mailbox not available|mailbox does not|"
    "mailbox doesn|mail-box not found|mailbox is unavailable|mailbox invalid|invalid mailbox|mailbox name not|mailbox "
    "currently unavailable|"
    "user not found|user not known|user is unknown|user is not|user does not|user doesn|user invalid|invalid user|not a valid|not "
    "a known|not a user|not our customer|not known|user account|unknown account|account not found|account does not|account "
    "doesn|account that you tried to reach does|account not|invalid account|"
    "recipient not found|recipient unknown|unknown recipient|recipient is not|recipient does not|recipient name is not|"
    "recipient invalid|invalid recipient|recipient not exist|recipnotfound|recipient cannot be|recipient was not|"
    "address unknown|unknown address|address not found|address does not|address doesn|address invalid|invalid address|address is "
    "not|address couldn|bad address|bad recipient|addressee unknown|unknown addressee|address wasn|address no longer|"
    "unknown local|unknown name|local user|unrouteable address|unroutable address|undeliverable address|unknown or illegal "
    "alias|bad destination mailbox|badrcptto|bad_recipient|destination not found|"
    "does not exist|doesn't exist|doesnt exist|do not exist|not exist|nonexistent|non-existent|no longer exist|"
    "invalid final delivery|not listed in|not listed|not found in|could not be found|couldn't be found|cannot be found|can't be "
    "found|wasn't found|was not found|not recognized|not recognised|not exactly match|unrecognized|not in directory|doesn't have a|does not have "
    "an account|does not have a|didn't match|directory entry|not in our|not here|is not here|no longer here|unknown in|unknown "
    "virtual|user_unknown|"
    "address rejected|recipient rejected|recipient reject|recipient address rejected|does not like recipient|rcpt to|"
    "requested action not taken|"
    "unbekannt|existiert nicht|nicht gefunden|kein benutzer|kein postfach|gibt es nicht|nicht vorhanden|"
    "inconnu|n'existe pas|introuvable|inexistant|non trouvé|"
    "desconocid|no existe|inexistente|no encontrad|no se encontró|no se encuentra|no es válid|"
    "sconosciut|non esiste|inesistente|non trovato|"
    "desconhecid|não existe|nao existe|não encontrad|"
    "nieznany|nie istnieje|nie znaleziono|brak użytkownika|nie ma |onbekend|bestaat niet|niet gevonden|okänd|finns inte|ukendt|ukjent|"
    "findes ikke|finnes ikke|tuntematon|neznám|neexistuje|ismeretlen|nem létez|bilinmeyen|bulunamadı|"
    "не существует|нет такого|не найден|неизвестн|нет пользователя|такого пользователя|"
    "見つかりません|存在しません|見つからない|不明|该用户不存在|不存在|查无此|查無此|找不到|无此用户|無此|존재하지|찾을 수 없|없는 사용자|알 수 없는";

/* Said in one breath with an unknown user, and still that: "recipient address rejected: user unknown" is no policy. */
static const char surely_unknown[] =
    "user unknown|unknown user|no such user|no such recipient|no such mailbox|no such address|no such local|no mailbox here|"
    "mailbox not found|user not found|user does not exist|user doesn't exist|user doesn|recipient unknown|unknown recipient|"
    "recipient not found|recipnotfound|unknown local|addressee unknown|account does not exist|account that you tried to reach does "
    "not exist|address does not exist|does not exist|doesn't exist|mailbox unavailable|mail-box not found|invalid recipient|"
    "recipient name is not|not listed in|unrouteable address|unknown or illegal alias|recipient address rejected: access denied|"
    "no mailbox|mailbox unknown|invalid mailbox|unknown address|address unknown|invalid final delivery|not our customer|not a valid mailbox|not a valid "
    "recipient";

static const char *
find_any(const char *text, const char *words)
{
    const char *first = NULL;
    char word[128];
    for (const char *p = words; *p;) {
        gsize len = strcspn(p, "|");
        if (len && len < sizeof word) {
            memcpy(word, p, len);
            word[len] = '\0';
            const char *hit = strstr(text, word);
            if (hit && (!first || hit < first))
                first = hit;
        }
        p += len + (p[len] == '|');
    }
    return first;
}

/* An SMTP reply: "550 ", "550-5.1.1", "(550)", "#550", at a place where a number begins. */
static int
reply_at(const char *text, const char *p)
{
    if (!strchr("45", *p) || !g_ascii_isdigit(p[1]) || p[1] > '5' || !g_ascii_isdigit(p[2]) ||
        g_ascii_isalnum(p[3]) || p[3] == '.' || p[3] == '@')
        return 0;
    if (p > text && (g_ascii_isalnum(p[-1]) || strchr(".-_/@=+", p[-1])) && !(p > text + 1 && p[-1] == '-' && p[-2] == ' '))
        return 0;
    return (int)g_ascii_strtoll(p, NULL, 10);
}

static void
find_codes(const char *text, struct bounce_saying *saying)
{
    for (const char *p = text; (p = strpbrk(p, "245")) != NULL; p++) {
        gboolean begins = p == text || !(g_ascii_isalnum(p[-1]) || p[-1] == '.');
        if (!begins)
            continue;
        if (p[1] == '.' && !*saying->status) {
            g_autofree char *status = bounce_status_at(p);
            if (status && *status != '2' && !g_str_has_suffix(status, ".0.0")) {
                g_strlcpy(saying->status, status, sizeof saying->status);
                if (!saying->len)
                    saying->at = (gsize)(p - text), saying->len = 1;
            }
        }
        int code = saying->code ? 0 : reply_at(text, p);
        /* "200 or 300 KB": a number alone is none, words follow a reply. */
        if (code >= 400) {
            saying->code = code;
            saying->at = (gsize)(p - text), saying->len = 1;
        }
    }
}

gboolean
bounce_weigh(const char *text, struct bounce_saying *saying)
{
    memset(saying, 0, sizeof *saying);
    g_autofree char *lower = g_utf8_strdown(text, -1);
    find_codes(text, saying);
    const char *hit = NULL, *sure = find_any(lower, surely_unknown);
    if (sure && !find_any(lower, sayings[1].words)) {
        hit = sure;
        saying->detail = "1.1";
        saying->is_sure = TRUE;
    }
    for (guint i = 0; !hit && i < G_N_ELEMENTS(sayings); i++)
        if ((hit = find_any(lower, sayings[i].words)) != NULL)
            saying->detail = sayings[i].detail;
    /* "Unknown host" has been met; what is left of unknown is a user. */
    const char *unknown = find_any(lower, unknown_user);
    if (unknown && (!hit || !strcmp(saying->detail, "3.2") || !strcmp(saying->detail, "4.1"))) {
        hit = unknown;
        saying->detail = "1.1";
    }
    if (hit && !saying->len && strlen(lower) == strlen(text))
        saying->at = (gsize)(hit - lower), saying->len = 1;
    else if (hit && !saying->len)
        saying->len = 1;
    return saying->len != 0;
}

/* What a bare reply says (RFC 5321 section 4.2.2). */
static const char *
detail_of_code(int code)
{
    switch (code) {
    case 552:
        return "2.2";
    case 551:
        return "1.6";
    case 421:
        return "4.2";
    case 452:
        return "3.1";
    default:
        return "0.0";
    }
}

char *
bounce_status_of(const struct bounce_saying *saying, gboolean delayed)
{
    const char *detail = saying->detail ? saying->detail : detail_of_code(saying->code);
    char class = delayed ? '4' : '5';
    if (*saying->status)
        return g_strdup(saying->status);
    if (saying->code)
        class = saying->code >= 500 ? '5' : '4';
    else if (!strcmp(detail, "4.7") || !strcmp(detail, "4.1") || !strcmp(detail, "4.2"))
        class = '4';
    if (!strcmp(detail, "7.1.greylist"))
        class = '4';
    const char *second = strchr(detail, '.') + 1; /* the third says more than a status can */
    return g_strdup_printf("%c.%.*s", class, (int)(second - detail + (gssize)strcspn(second, ".")), detail);
}

gboolean
bounce_announces(const char *text, gboolean *delayed)
{
    static const char late[] =
        "has been delayed|is delayed|been delayed|delayed mail|not yet been delivered|not been delivered yet|have not been "
        "delivered yet|will be retried|will retry|warning message only|continue to be made|still being retried|still "
        "undelivered|will continue|will keep trying|continues to try|could not send message for past|temporarily delayed|just a "
        "warning|advisory-only|delivery delayed|delay in delivery|do not need to resend|don't need to resend|need not resend|do "
        "not need to take any action|no action is required|been postponed|will try again|delivery status notification "
        "(delay)|(delay)|verzögert|wird weiter versucht|retardé|en retard|retrasad|demorad|in ritardo|ritardata|atrasad|opóźnion|"
        "vertraagd|задержан|задержива|遅延|延迟|延遲";
    static const char failed[] =
        "be delivered|been delivered|not deliver|n't deliver|undeliver|unable to deliver|not able to deliver|delivery fail|delivery "
        "has fail|delivery of|failed to deliver|failure notice|delivery status|delivery notification|mail delivery|message "
        "delivery|delivery to|deliver message|deliver to|deliver your|deliver the|deliver mail|not delivered|did not reach|not "
        "reach|be reached|not receive|following address|following recipient|following user|failed address|failed "
        "recipient|fatal error|permanent error|delivery error|delivery problem|problems delivering|problem delivering|be "
        "sent|not sent|failed to send|rejected|bounce|returned mail|returned to sender|returned message|non-deliver|nondeliver|"
        "non deliver|failure reason|failure report|error description|recipients were affected|refused|unknown user|invalid "
        "final|invalid user|mailbox is full|transcript of session|been blocked|was blocked|been returned|system error|no such user|"
        "mail failure|user unknown|not exist|couldn't be|could not be|cannot be|can't be|has failed|address failed|errors "
        "occurred|unreachable|permanent failure|"
        "nicht zugestellt|unzustellbar|zustell|nicht ausgeliefert|nicht übermittelt|nicht gesendet|"
        "pas pu être|pu être remis|non remis|non délivré|échec|impossible de|pas été remis|pas été délivré|"
        "no se pudo|no ha podido|no se ha podido|no pudo|no se puede|no fue entregado|no entregado|no fue posible|devuelto|"
        "non è stato possibile|impossibile|non recapit|mancata consegna|non consegnat|non può essere|"
        "não pôde|não foi possível|não foi entregue|falha na entrega|não pode ser|não entregue|nao foi|nao pode|"
        "niet worden|niet bezorgd|onbestelbaar|niet afgeleverd|kon niet|"
        "nie może|nie mogła|nie została|nie można|niedostarcz|nie udało|nie powiodło|"
        "inte levereras|inte levererats|kunde inte|kunne ikke|ikke levert|ikke leveret|ei voitu|nelze doručit|nebyla doruč|nedoruč|"
        "kézbesít|teslim edil|iletilemedi|"
        "не может быть|не доставл|недоставл|не удалось|не было доставл|ошибка доставки|невозможно|"
        "送信できません|配信できません|配送できません|届きません|届けできません|配信不能|不達|エラーのため|送信不能|"
        "无法|退信|投递失败|传输失败|無法|退回|投遞|送达|전송|배달|전달";
    *delayed = find_any(text, late) != NULL;
    return *delayed || find_any(text, failed) != NULL;
}

gboolean
bounce_is_other_machine(const char *text)
{
    static const char words[] =
        "guest list|pre-approved|waitlisted|confirm that you|confirm you are|confirm your message|prove that you|challenge|verify "
        "your email|sender verification|to confirm this|click the link below to be|please click the link|spamarrest|boxbe|out of "
        "office|out of the office|vacation|on holiday|away from|abwesend|abwesenheit|urlaub|absent|en congé|fuera de la oficina|"
        "vacaciones|fuori sede|férias|urlopie|отпуске";
    return find_any(text, words) != NULL;
}
