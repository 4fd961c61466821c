"""What a user asks of the conversation itself: a human, an end of it; and whether they have lost their temper.

Rules rather than a model: each must hold for whole clauses, for "where is the rubbish bin?" is no insult and
"when are the staff there?" no call for one of them.
"""

import re
import unicodedata

_CLAUSE = re.compile(r"[，。！？、；：,.!?;:~～…\n]+")
_LONGEST = 60
"""Characters of a clause that can be a wish; longer ones tell a story."""

_ATTENDED_ZH = "(人工|真人|活人)((在线)?(客服|服务|坐席|座席|接待|接听))?"
_PEOPLE_ZH = f"{_ATTENDED_ZH}|(在线)?客服(人员)?|工作人员|(你们的?)?(经理|主管|负责人|领导)"
_BOT_ZH = "(这个?|你这个?)?(机器人|机器|ai|人工智能|电脑|程序|数字人)"
_TALK_ZH = "说话|说|讲话|讲|聊聊|聊天|聊|对话|谈谈|谈|沟通|交流"
_POLITE_ZH = (
    "(请|麻烦|能不能|可不可以|可以|能|给我|帮我|替我|我要|我想要?|我需要|我希望"
    "|直接|还是|那就?|快|马上|立刻|现在|你们?)*"
)
_END_ZH = "(一下|来|吧|吗|嘛|呢|啊|呀|啦|了|谢谢|行吗|好吗|可以吗|行不行|好不好)*"

_PEOPLE_EN = (
    "(human( being| agent)?|person|agent|operator|representative|rep|someone|somebody|supervisor|manager|colleague"
    "|member of staff|staff( member)?|customer (service|support)( agent)?|support( agent)?)"
)
_LIVE_EN = "(an? |the |your |some |any )?(real |live |actual |human |living )*"
_BOT_EN = "(an? |the |this |your )?(stupid |dumb )?(chat ?bot|bot|robot|machine|ai|computer|program|avatar)"
_POLITE_EN = (
    "((please|just|now|hi|hello|hey|ok|okay|well|so|but|and|no|sorry|can i|could i|may i|can you|could you|would you"
    "|can we|let me|id like( you)?( to)?|i would like( you)?( to)?|i (really )?(want|need|wish|demand)( you)?( to)?"
    "|i have to|is it possible to|how (do|can) i) )*"
)
_END_EN = "( (please|now|instead|right (now|away)|immediately|thanks|thank you|here|about (this|that|it)|directly))*"

_HUMAN = (
    f"{_POLITE_ZH}(转接?|转到|换成?|接通?|找|叫|呼叫|喊|要)(到|成|给|去)?(一下)?[一个位名]*({_PEOPLE_ZH}){_END_ZH}",
    f"({_POLITE_ZH}|有没有|有)({_ATTENDED_ZH}){_END_ZH}",
    f"{_POLITE_ZH}(和|跟|同)[一个位名]*({_PEOPLE_ZH}|人)({_TALK_ZH}){_END_ZH}",
    f"(叫|让|请|换)(你们的?)?[一个位名]*({_PEOPLE_ZH}|人)(过来|出来|来|接|跟我|和我)+({_TALK_ZH}|接听|处理|回答)?{_END_ZH}",
    f"我?(真的)?(不想|不要|不愿意?|懒得)再?(和|跟|同)({_BOT_ZH})({_TALK_ZH}){_END_ZH}",
    f"{_POLITE_EN}(talk|speak|chat)( directly)?( to| with) {_LIVE_EN}{_PEOPLE_EN}{_END_EN}",
    f"{_POLITE_EN}(connect|transfer|switch|forward|redirect|hand|pass|put|get) me"
    f"( over| through| on| back)?( to| with)? {_LIVE_EN}{_PEOPLE_EN}{_END_EN}",
    f"{_POLITE_EN}{_LIVE_EN}(human|person|human agent|live agent|real agent|agent|operator|representative)"
    f"( agent| being)?{_END_EN}",
    f"i (really )?(dont|do not) want to (talk|speak|chat)( to| with) {_BOT_EN}( any ?more)?{_END_EN}",
)
_OUT = (
    "(请|麻烦|我要|我想|我想要|帮我|给我|那就?|现在|好了?)*"
    "(退出(对话|聊天|会话|系统)?|(结束|终止|停止|关闭)(这个|这次|本次|当前|我们的)?(对话|会话|聊天|通话|谈话|服务)"
    "|不聊了|我?不想(再)?(和|跟)?你?聊了?|别(再)?(和|跟)我(说话|聊天)了?)(吧|了|啊|谢谢)*",
    "(please |ok(ay)? |i want to |i would like to |id like to |let me |lets |can we |can you |now )*"
    "(exit|quit|(end|stop|close|finish|leave|terminate) (the |this |our |my )?(conversation|chat|session|call|dialogue)"
    "|stop talking( to me)?|stop chatting( with me)?)( now| please| thanks| thank you)*",
    "i (dont|do not) want to (talk|chat|speak)( to you| with you)?( any ?more)?",
    "i ?a?m done (talking|chatting)( to you| with you)?",
)
_INSULTS = (
    "傻[逼比屄x叉子]|煞笔|沙比|(你|他|特)妈的|^妈的|tmd|去你(妈|大爷)|滚([蛋开吧]|$)|混蛋|王八蛋|白痴|蠢(货|死|猪)|脑残|弱智",
    "放屁|狗屁|去死|闭嘴|智障(?!人|儿童|者|学生|票|的|群)|你(们)?(是不是)?有(毛|神经)?病(吧|啊|呀|$)",
    "(你们?(这个?|就?是个?)?|真是?个?)废物(?!利用|处理|回收|箱|桶|再)",
    "垃圾(客服|机器人|系统|ai|玩意|服务|软件|东西$)|(你们?|真|太|真是个?|就是个?|简直)垃圾$",
    "(气|烦)死(我|人)?了|受够了|忍无可忍|我(真的?|很|非常|太|好|特别|十分)?(生气|愤怒|火大|恼火|不爽)了?$",
    r"\b(fuck\w*|wtf|bullshit|assholes?|morons?|idiots?|dumbass|shut up|go to hell|screw you|damn (you|it))\b",
    r"\b(stupid|dumb|useless|worthless|pathetic|crappy) (chat ?bot|bot|robot|machine|ai|thing|system|assistant)\b",
    r"\byou( are|re) (so |such an? |really |an? |just |completely |totally )*"
    r"(stupid|dumb|useless|idiot|pathetic|worthless|moron|joke)\b",
    r"\bpiece of (crap|junk|garbage|trash|shit)\b|\b(fed up|pissed off|driving me (crazy|mad|nuts|insane))\b",
    r"\bi( am|m) (so |really |very |getting |absolutely |extremely )*(angry|furious|outraged|frustrated|mad at)\b",
    r"\bthis is (just |so |absolutely )*(ridiculous|outrageous|unacceptable|infuriating)\b|\bsick of (this|you)\b",
)
_GRIEVANCES = (
    "什么破|太差|差劲|气人|受不了|骗子|骗人|答非所问|听不懂人话|(根本|完全|一点)(都)?没(有)?用|一点用都?没有|浪费(我的?)?时间",
    "投诉|无语|离谱|搞什么|行不行啊|能不能好好|烂透|什么玩意|什么东西$|说了(多少|几|好几)遍|又是这句|垃圾$",
    r"\bwast(e|ing)( of)?( my)? time\b|\buseless\b|\b(terrible|awful|horrible|worst) (service|answers?|experience)\b",
    r"\b(thats|that is|its) not what i asked\b|\byou (dont|do not|never) (understand|listen|answer)\b|\bridiculous\b",
    r"\bhow many times\b|\bcomplain(t|ing)?\b|\bwhat is wrong with you\b|\banswer (me|my question)\b",
)
_PRAISE = re.compile(
    r"太?棒|厉害|喜欢|好看|漂亮|精彩|感谢|\b(amazing|awesome|great|cool|brilliant|love|wonderful|fantastic|thanks)\b"
)
_COURTESY = re.compile("好的?|谢谢(你|您|啦|了)?|再见|拜拜|行|ok(ay)?|thanks|thank you|(good)?bye|please")
_SHOUTED = re.compile(r"[!！?？]{3,}")
_CAPITALS = 10
"""Letters of a text in capitals that make a shout: more than an abbreviation."""


def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_HUMANS, _EXITS, _INSULTED, _AGGRIEVED = map(_compiled, (_HUMAN, _OUT, _INSULTS, _GRIEVANCES))


def wants_human(text: str) -> bool:
    """转人工, 人工客服, "can I talk to a real person?"; not "what do the staff wear?"."""
    return any(_HUMANS.fullmatch(clause) for clause in _clauses(text))


def wants_out(text: str) -> bool:
    """退出, 结束对话, "stop talking to me": the whole text says it."""
    clauses = [clause for clause in _clauses(text) if not _COURTESY.fullmatch(clause)]
    return bool(clauses) and all(_EXITS.fullmatch(clause) for clause in clauses)


def angry(text: str) -> bool:
    """An insult, or a grievance that is shouted."""
    clauses = _clauses(text)
    if any(_PRAISE.search(clause) for clause in clauses):
        return False
    if any(_INSULTED.search(clause) for clause in clauses):
        return True
    aggrieved = sum(bool(_AGGRIEVED.search(clause)) for clause in clauses)
    return aggrieved + _shouts(text) > 1


def has_keyword(text: str, keywords: tuple[str, ...]) -> bool:
    """Whether one of the words stands in the text; those of Latin letters as words of their own."""
    folded = _folded(text)
    return any(
        re.search(rf"(?<![a-z0-9]){re.escape(_folded(word))}(?![a-z0-9])", folded)
        if word.isascii()
        else _folded(word) in folded
        for word in keywords
    )


def _shouts(text: str) -> bool:
    letters = [char for char in text if char.isascii() and char.isalpha()]
    return bool(_SHOUTED.search(text)) or (len(letters) >= _CAPITALS and all(char.isupper() for char in letters))


def _clauses(text: str) -> list[str]:
    """The text's clauses, folded; Chinese ones without spaces."""
    pieces = (_bare(piece) for piece in _CLAUSE.split(text))
    return [piece for piece in pieces if piece and len(piece) <= _LONGEST]


def _bare(clause: str) -> str:
    words = " ".join("".join(char if char.isalnum() else " " for char in _folded(clause)).split())
    return words if words.isascii() else words.replace(" ", "")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
