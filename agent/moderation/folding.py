"""Texts made comparable: width, case, accents, look-alikes, old characters and invisible ones folded away."""

import functools
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass

_TRADITIONAL = (
    "們個這來時說國會對發學過還後開關點無電動長問題現樣應實體機話語讓將從頭見義處內與幾條當場進邊種類給東車門間頁員萬億"
    "愛戀歡樂難離雙號誰請謝認識講課讀書寫報紙畫圖覺觀視聽聲響音樂藝術歷史傳統華漢陽陰陸海島嶼灣鄉鎮縣區園廣場館廳樓層"
    "殺傷彈藥槍炮爆鬥戰爭敵軍隊屍體斃絞綁擄搶劫盜竊賊賭場莊騙詐偽鈔錢財產債務貸賺賣買購價貨單據證件賬號銀帳戶頭"
    "婦奶雞鴨豬狗貓馬騾驢蟲龍鳳鳥魚黃綠藍紅腦臉髮膚鬚齒腸髒臟腎膽癌瘋癲癡殘廢癱瘓聾啞盲喪亡墳葬禍災難慘淒慘絕滅淨"
    "種族穢褻淫亂姦強暴虐處女裸體露陰莖陰門幹屄賤婊爛蕩騷嬌豔艷滾蛋廢物渾懶蠢笨傻豬腦殘雜碎畜牲孫龜兒爺媽嗎呢啊喲"
    "恐怖襲擊極端組織聖戰顛覆獨裁煽動遊行示威罷課罷工運動黨團總統領導選舉權鬧獄監禁審訊問執法官違規則製造販運輸儲備"
    "氫氰鉀鈉鈾硝銨鋁鎂鐵銅鋼鉛錫鋅汞導線燃燒瓶遙控計劃圖紙網絡鏈接贈獎勵優惠券註冊登錄驗證碼轉賬匯款繳費稅額"
    "冊頻輯編輕鬆壓縮寬窄歲齡幼稚園孩嬰產婦護養療醫師醫院診斷針劑膠囊顆粒戒癮癖麻醉致幻搖頭"
    "嚇驚懼憂鬱鬆緊張擔憑讚歎嘆氣憤恨仇惡劣壞錯誤謊謠傳揭穿隱瞞遮擋掩蓋竊聽監視攝影錄"
)
_SIMPLIFIED = (
    "们个这来时说国会对发学过还后开关点无电动长问题现样应实体机话语让将从头见义处内与几条当场进边种类给东车门间页员万亿"
    "爱恋欢乐难离双号谁请谢认识讲课读书写报纸画图觉观视听声响音乐艺术历史传统华汉阳阴陆海岛屿湾乡镇县区园广场馆厅楼层"
    "杀伤弹药枪炮爆斗战争敌军队尸体毙绞绑掳抢劫盗窃贼赌场庄骗诈伪钞钱财产债务贷赚卖买购价货单据证件账号银账户头"
    "妇奶鸡鸭猪狗猫马骡驴虫龙凤鸟鱼黄绿蓝红脑脸发肤须齿肠脏脏肾胆癌疯癫痴残废瘫痪聋哑盲丧亡坟葬祸灾难惨凄惨绝灭净"
    "种族秽亵淫乱奸强暴虐处女裸体露阴茎阴门干屄贱婊烂荡骚娇艳艳滚蛋废物浑懒蠢笨傻猪脑残杂碎畜牲孙龟儿爷妈吗呢啊哟"
    "恐怖袭击极端组织圣战颠覆独裁煽动游行示威罢课罢工运动党团总统领导选举权闹狱监禁审讯问执法官违规则制造贩运输储备"
    "氢氰钾钠铀硝铵铝镁铁铜钢铅锡锌汞导线燃烧瓶遥控计划图纸网络链接赠奖励优惠券注册登录验证码转账汇款缴费税额"
    "册频辑编轻松压缩宽窄岁龄幼稚园孩婴产妇护养疗医师医院诊断针剂胶囊颗粒戒瘾癖麻醉致幻摇头"
    "吓惊惧忧郁松紧张担凭赞叹叹气愤恨仇恶劣坏错误谎谣传揭穿隐瞒遮挡掩盖窃听监视摄影录"
)
_ALIKE = str.maketrans(_TRADITIONAL, _SIMPLIFIED) | str.maketrans(
    "аеорсухіјѕԁһӏқтмнвкαεορτυνικχɡıøłßæ", "aeopcyxijsdhlktmhbkaeoptuvikxgiolsa"
)
_HARD = frozenset("，。！？；：、,!?;:…\n\r")
"""Marks that end a clause: a word seldom goes on behind one."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`: folded, nothing invisible in it. `at`: where each of its characters stands in the original."""

    text: str
    at: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Of the original."""
        return self.at[start], self.at[end - 1] + 1

    def before(self, offset: int) -> int:
        """Characters of the folded text that come from before `offset` of the original."""
        return bisect_left(self.at, offset)


def fold(text: str) -> Folded:
    pieces, at = [], []
    for index, char in enumerate(text):
        folded = _folded(char)
        pieces.append(folded)
        at += [index] * len(folded)
    return Folded("".join(pieces), tuple(at))


def compact(folded: Folded) -> Folded:
    """Letters and figures only: what stands between the characters of a word to hide it is gone."""
    kept = [index for index, char in enumerate(folded.text) if char.isalnum()]
    return Folded("".join([folded.text[index] for index in kept]), tuple([folded.at[index] for index in kept]))


def bare(text: str) -> str:
    """Folded and compact, where nobody asks for places."""
    return "".join([char for char in map(_folded, text) if char.isalnum() or len(char) > 1])


def breaks(text: str, start: int, end: int) -> bool:
    """Does a clause end between two places of the original?"""
    return end - start > 1 and not _HARD.isdisjoint(text[start:end])


@functools.lru_cache(maxsize=16384)
def _folded(char: str) -> str:
    if char.isascii():
        return char.lower() if char >= " " or char in "\n\r\t" else ""
    plain = [
        part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) not in ("Cf", "Mn", "Cc")
    ]
    return "".join(plain).casefold().translate(_ALIKE)
