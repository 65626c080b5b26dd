"""The words of the corpus: languages with their charsets, people, subjects.

All text is made up.  A language has the charsets that its mail really
comes in, with the transfer encoding that goes with each.
"""

ENGLISH = """
the meeting moved to Thursday because the room is taken please bring your
notes about the release and the open questions from last week I read the
proposal and like most of it though the budget seems low for the second half
could you check the numbers again before Monday the train leaves at nine
forty and arrives shortly after noon we should leave the office early the
server was restarted twice during the night and nobody knows why the log
shows a timeout followed by a long silence thanks for the quick answer that
solves it for me let us talk about the rest when you are back the contract
is attached signed by both sides keep it in the shared folder my flight was
cancelled so I will join by phone the patch applies cleanly and the tests
pass but one of them is slow on the older machine maybe we can skip it there
""".split()

GERMAN = """
das Treffen wurde auf Donnerstag verschoben weil der Raum belegt ist bitte
bringt eure Notizen zur Veröffentlichung mit die Größe der Anhänge ist
begrenzt könntest du die Zahlen noch einmal prüfen bevor wir sie weitergeben
der Zug fährt um neun Uhr vierzig und kommt kurz nach zwölf an schöne Grüße
aus München wir müssen über die Änderungen am Vertrag sprechen die Straße ist
gesperrt daher komme ich etwas später für die Übersetzung brauchen wir mehr
Zeit das Büro bleibt am Montag geschlossen
""".split()

SPANISH = """
la reunión pasa al jueves porque la sala está ocupada trae por favor tus notas
sobre la próxima versión podrías revisar los números otra vez antes del lunes
el tren sale a las nueve y cuarenta y llega después del mediodía mañana no
estaré en la oficina gracias por la respuesta rápida el año pasado tuvimos el
mismo problema con la configuración adjunto el contrato firmado un saludo
desde Málaga
""".split()

FRENCH = """
la réunion est déplacée à jeudi parce que la salle est déjà prise merci
d'apporter vos notes sur la prochaine version pourriez-vous vérifier encore
les chiffres avant lundi le train part à neuf heures quarante l'été dernier
nous avions déjà ce problème avec l'hôtel voici le contrat signé à bientôt
cœur français où être naïf
""".split()

RUSSIAN = """
встреча перенесена на четверг потому что комната занята пожалуйста принесите
свои заметки о выпуске можно ли ещё раз проверить цифры до понедельника поезд
отправляется в девять сорок спасибо за быстрый ответ договор подписан обеими
сторонами сервер перезапускали дважды за ночь и никто не знает почему
""".split()

JAPANESE = """
会議は木曜日に変更になりました 部屋が使えないためです 資料をお持ちください
月曜日までに数字をもう一度確認していただけますか 電車は九時四十分に出発します
早速のお返事ありがとうございます 契約書を添付しました よろしくお願いいたします
サーバーは夜中に二回再起動されました 原因はまだ分かっていません
""".split()

CHINESE = """
会议改到星期四 因为会议室已经被占用 请带上关于新版本的笔记 星期一之前能不能再核对一下数字
火车九点四十分出发 中午以后到达 谢谢您的快速回复 合同已经签好 请查收附件
服务器昨晚重启了两次 目前还不知道原因
""".split()

ARABIC = """
تم نقل الاجتماع إلى يوم الخميس لأن القاعة محجوزة يرجى إحضار ملاحظاتكم حول
الإصدار القادم هل يمكنك مراجعة الأرقام مرة أخرى قبل يوم الاثنين شكرا على الرد
السريع العقد مرفق وموقع من الطرفين
""".split()

# name -> (share of the mail, words, [(charset, transfer encoding)])
LANGUAGES = {
    "en": (56, ENGLISH, [("us-ascii", "7bit"), ("utf-8", "8bit"),
                         ("utf-8", "quoted-printable"),
                         ("iso-8859-1", "7bit")]),
    "de": (12, GERMAN, [("utf-8", "8bit"), ("iso-8859-1", "quoted-printable"),
                        ("utf-8", "quoted-printable"),
                        ("windows-1252", "base64")]),
    "es": (8, SPANISH, [("utf-8", "quoted-printable"),
                        ("iso-8859-15", "8bit")]),
    "fr": (6, FRENCH, [("utf-8", "8bit"), ("iso-8859-15",
                                           "quoted-printable")]),
    "ru": (6, RUSSIAN, [("utf-8", "base64"), ("koi8-r", "8bit"),
                        ("windows-1251", "base64")]),
    "ja": (5, JAPANESE, [("iso-2022-jp", "7bit"), ("utf-8", "base64"),
                         ("shift_jis", "base64")]),
    "zh": (5, CHINESE, [("utf-8", "base64"), ("gb18030", "base64")]),
    "ar": (2, ARABIC, [("utf-8", "8bit"), ("windows-1256", "base64")]),
}



def syllables(onsets, middles, ends):
    return [a + b + c for a in onsets.split() for b in middles.split()
            for c in ends.replace("_", " ").split(" ")]


# What the words of prose.py are put together from; those of Japanese and
# Chinese are of characters.
SYLLABLES = {
    "en": syllables("b br c ch d f fl g gr h l m n p pl r s sh st t tr v w",
                    "a e i o u ea ou", "_n_r_st_ck_nd_ve"),
    "de": syllables("b br d f g gr h k l m n p r s sch st t v w z",
                    "a e i o u ä ö ü ei au", "_n_r_ch_rt_ng"),
    "es": syllables("b c d f g l ll m n ñ p qu r s t tr v",
                    "a e i o á é ia ue", "_n_s_r_da"),
    "fr": syllables("b c ch d f g j l m n p pr qu r s t v",
                    "a e é è i o ou ai eau", "_n_r_s_tte_nt"),
    "ru": syllables("б в г д ж з к л м н п пр р с ст т ф х ш",
                    "а е и о у ы я ё", "_н_л_т_ть_й_м"),
    "ar": syllables("ب ت ج ح خ د ر س ش ع ف ق ك ل م ن",
                    "ا و ي", "_م_ن_ر_ة"),
}

FIRST = {
    "en": "Alice Bob Grace Henry Laura Oscar Priya Ruth Sam Tina".split(),
    "de": "Jürgen Käthe Lutz Björn Anneliese Sönke".split(),
    "es": "Íñigo Marta Tomás Begoña José".split(),
    "fr": "Zoé François Hélène Benoît".split(),
    "ru": "Иван Ольга Сергей Наталья".split(),
    "ja": "太郎 花子 健 由美".split(),
    "zh": "伟 芳 强 秀英".split(),
    "ar": "أحمد فاطمة يوسف".split(),
}
LAST = {
    "en": "Baker Carter Dupree Evans Fox Green Hill Khan".split(),
    "de": "Müller Schröder Weiß Krüger Groß".split(),
    "es": "Núñez García Vidal Peña".split(),
    "fr": "Lefèvre Dubois Gérard".split(),
    "ru": "Иванов Петрова Соколов".split(),
    "ja": "山田 佐藤 鈴木".split(),
    "zh": "王 李 张".split(),
    "ar": "الحسن منصور".split(),
}
HOSTS = ("example.org example.com example.net mail.example corp.example"
         ).split()
TOP = ".example .test .example.org .example.net .example.com".split()

LISTS = [("postrider-devel", "Postrider development"),
         ("hikers", "Weekend hikers"), ("kernel", "Kernel patches"),
         ("staff", "Everybody at the office"),
         ("postrider-users", "Postrider users"), ("bugs", "Bug reports"),
         ("book-club", "Reading circle"), ("ops", "Who is on call"),
         ("announce", "Announcements"), ("choir", "The choir"),
         ("kernel-mm", "Memory management"), ("tc39-talk", "Standards talk")]

SHOPS = ["Northwind Books", "Bäckerei Sonntag", "Rail Tickets", "Cloud Bill",
         "Garden & Tools", "Café Lumière", "The Weekly Byte", "Museo del Mar",
         "Хороший чай", "夜市通信", "Bike Works", "Stadtbibliothek"]

FILES = [("itinerary.pdf", "application/pdf"), ("map.png", "image/png"),
         ("Übersicht 2026.ods",
          "application/vnd.oasis.opendocument.spreadsheet"),
         ("photo 0042.jpg", "image/jpeg"), ("contract.pdf", "application/pdf"),
         ("見積書.pdf", "application/pdf"), ("notes.txt", "text/plain"),
         ("build.log.gz", "application/gzip")]
