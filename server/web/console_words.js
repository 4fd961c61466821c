/** The console's own words in both languages. */

/** @typedef {"zh"|"en"} Lang */

export const WORDS = {
  title: { zh: "值班台", en: "Operators' desk" },
  language: { zh: "界面语言", en: "Language of this page" },
  entry: { zh: "进入值班台", en: "Come to the desk" },
  name: { zh: "您的名字（写入审计日志）", en: "Your name (goes into the audit log)" },
  key: { zh: "管理员密钥", en: "The operator's key" },
  keyHint: { zh: "密钥只保存在这个标签页里。没有设置密钥时留空。", en: "The key stays in this tab. Leave it empty where none is set." },
  enter: { zh: "进入", en: "Enter" },
  denied: { zh: "这个密钥不能打开值班台。", en: "This key does not open the desk." },
  connecting: { zh: "正在连接…", en: "Connecting…" },
  open: { zh: "已连接", en: "Connected" },
  waiting: { zh: "连接中断，正在重新连接…", en: "Connection lost, reconnecting…" },
  operators: { zh: "在线：{names}", en: "At the desk: {names}" },
  sessions: { zh: "会话", en: "Sessions" },
  session: { zh: "会话", en: "Session" },
  none: { zh: "现在没有用户。", en: "No visitors at the moment." },
  choose: { zh: "选择一个会话，查看对话。", en: "Choose a session to follow it." },
  alert: { zh: "{count} 位用户在等人工", en: "{count} waiting for a human" },
  call: { zh: "需要人工：{reason}", en: "Wants a human: {reason}" },
  asked: { zh: "用户要求人工", en: "the user asked for one" },
  refused: { zh: "连续答不上来", en: "questions in a row had no answer" },
  anger: { zh: "用户生气了", en: "the user is angry" },
  keyword: { zh: "说了关键词", en: "a keyword was said" },
  presenter: { zh: "主播请求", en: "the presenter called for one" },
  answering: { zh: "主播在回答", en: "The presenter answers" },
  waitingUser: { zh: "用户在等 {name} 回答", en: "The user waits for {name}" },
  taken: { zh: "由 {name} 接管", en: "{name} has taken over" },
  since: { zh: "{minutes} 分钟", en: "{minutes} min" },
  refusals: { zh: "连续 {count} 个问题没有答案", en: "{count} questions in a row without an answer" },
  away: { zh: "用户只在提问时听得到", en: "hears only when asking" },
  take: { zh: "接管", en: "Take over" },
  give: { zh: "交还给主播", en: "Give back" },
  transcript: { zh: "实时对话", en: "Live transcript" },
  line: { zh: "让主播说", en: "Have the presenter say" },
  lineHint: { zh: "主播会照原文说出来，用户会听到", en: "Said word for word; the user hears it" },
  speak: { zh: "说出来", en: "Say it" },
  whisper: { zh: "悄悄提示主播", en: "Whisper to the presenter" },
  whisperHint: { zh: "给主播的指示，用户看不到", en: "An instruction; the user does not see it" },
  send: { zh: "提示", en: "Whisper" },
  whispers: { zh: "{count} 条提示有效", en: "{count} whispers hold" },
  withdraw: { zh: "全部收回", en: "Withdraw all" },
  user: { zh: "用户", en: "User" },
  says: { zh: "主播", en: "Presenter" },
  operator: { zh: "值班人员", en: "Operator" },
  stopped: { zh: "被打断", en: "stopped" },
  failed: { zh: "出错", en: "failed" },
  unanswered: { zh: "资料里没有", en: "not in the documents" },
  missed: { zh: "漏看了 {count} 条", en: "{count} events were missed" },
  closed: { zh: "用户已经离开", en: "The user has left" },
  gone: { zh: "这个会话已经结束。", en: "This session is over." },
  taken_already: { zh: "别的值班人员已经接管了这个会话。", en: "Another operator has taken over this session." },
  not_taken: { zh: "您没有接管这个会话。", en: "You have not taken over this session." },
  full: { zh: "现在太多了，请稍等再试。", en: "That is too many for now; try again in a moment." },
  unreached: {
    zh: "这位用户两次提问之间听不到。可以先接管，等用户再提问时回答。",
    en: "This user hears nothing between questions. Take over, and answer when they ask again.",
  },
  lost: { zh: "没有连接，没能发出去。", en: "Not connected: it was not sent." },
};

/** What the server's error codes are called here. */
export const PROBLEMS = {
  gone: "gone",
  taken: "taken_already",
  not_taken: "not_taken",
  full: "full",
  unreached: "unreached",
  lost: "lost",
};

export class Words extends EventTarget {
  /** @type {Lang} */
  #current;

  /** @param {readonly string[]} preferred the browser's languages, best first */
  constructor(preferred) {
    super();
    this.#current = preferred[0]?.toLowerCase().startsWith("zh") ? "zh" : "en";
  }

  get current() {
    return this.#current;
  }

  /** @param {Lang} lang */
  set current(lang) {
    this.#current = lang;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {keyof typeof WORDS} word @param {Record<string, string|number>} values for {name} in the text */
  tell(word, values = {}) {
    return WORDS[word][this.#current].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /** Fills `data-tell` with text, `data-name` with an accessible name, `data-hint` with a placeholder. */
  apply() {
    document.documentElement.lang = this.#current === "zh" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-tell]")) element.textContent = this.tell(element.dataset.tell);
    for (const element of document.querySelectorAll("[data-name]"))
      element.setAttribute("aria-label", this.tell(element.dataset.name));
    for (const element of document.querySelectorAll("[data-hint]")) element.placeholder = this.tell(element.dataset.hint);
  }
}
