/** The page's own words in both languages. */

/** @typedef {"zh"|"en"} Lang */

export const WORDS = {
  title: { zh: "数字人主播", en: "Digital presenter" },
  presenter: { zh: "数字人主播的画面", en: "The digital presenter" },
  badge: { zh: "AI 数字人 · AI生成 / AI-generated", en: "AI 数字人 · AI生成 / AI-generated" },
  input: { zh: "请输入您的问题", en: "Ask a question" },
  send: { zh: "发送", en: "Send" },
  stop: { zh: "停止", en: "Stop" },
  mute: { zh: "静音", en: "Mute" },
  captions: { zh: "字幕", en: "Captions" },
  unlock: { zh: "点按此处，开启声音", en: "Tap here to turn on sound" },
  conversation: { zh: "对话", en: "Conversation" },
  suggestions: { zh: "您可以这样问", en: "You could ask" },
  language: { zh: "界面语言", en: "Language of this page" },
  sources: { zh: "出处", en: "Sources" },
  connecting: { zh: "正在连接…", en: "Connecting…" },
  open: { zh: "已连接", en: "Connected" },
  waiting: { zh: "连接中断，正在重新连接…", en: "Connection lost, reconnecting…" },
  denied: {
    zh: "需要有效的访问密钥才能连接，请向管理员索取。",
    en: "A valid access key is needed to connect. Please ask the operator for one.",
  },
  malformed: {
    zh: "访问密钥含有无法发送的字符，请向管理员索取新的密钥。",
    en: "The access key has characters that cannot be sent. Please ask the operator for a new one.",
  },
  starting: { zh: "正在启动，请稍候…", en: "Starting, one moment…" },
  busy: { zh: "访客较多，正在排队…", en: "Many visitors, waiting for a place…" },
  unknown_base: {
    zh: "没有找到要使用的知识库，请联系管理员。",
    en: "The knowledge base to answer from is not there. Please tell the operator.",
  },
  ended: {
    zh: "对话已结束。再次提问会开始新的对话。",
    en: "The conversation has ended. Asking again begins a new one.",
  },
  call: { zh: "转人工", en: "Talk to a person" },
  attended: { zh: "工作人员正在为您服务", en: "A member of staff is answering" },
  operator: { zh: "工作人员", en: "Staff" },
  remember: { zh: "记住我", en: "Remember me" },
  remembering: {
    zh: "同意后，下次来访时仍记得您告诉过的事；关闭即删除。",
    en: "If you agree, what you tell is remembered for your next visit; switching it off deletes it.",
  },
  stopped: { zh: "已停止", en: "Stopped" },
  lost: { zh: "连接中断，回答没有说完。", en: "The connection was lost before the answer ended." },
  failed: { zh: "这次没能回答完整。", en: "The answer could not be completed." },
  unsupported: { zh: "资料中没有相关内容", en: "Not in the documents" },
  tooLong: { zh: "问题太长了，最多 {count} 个字符。", en: "The question is too long: at most {count} characters." },
  notSent: { zh: "还没有连接上，请稍候再发。", en: "Not connected yet, please try again in a moment." },
  trouble: { zh: "出了点问题，请再试一次。", en: "Something went wrong, please try again." },
  talk: { zh: "麦克风：点按开启免提，按住说话", en: "Microphone: tap for hands-free, hold to talk" },
  opening: { zh: "正在打开麦克风…", en: "Opening the microphone…" },
  hearing: { zh: "请说话，我在听。再点一次关闭麦克风。", en: "Go ahead, I am listening. Tap again to switch off." },
  pushing: { zh: "请说话，松开即发送。", en: "Go ahead, let go to send." },
  unheard: { zh: "没有听清，请再说一遍。", en: "I did not catch that, please say it again." },
  deaf: {
    zh: "语音识别出了问题，请再说一遍，或者打字。",
    en: "Speech recognition failed, please say it again, or type.",
  },
  insecure: {
    zh: "浏览器只允许安全的网页使用麦克风：请用 https 地址打开本页，或者打字。",
    en: "Browsers give microphones only to secure pages. Please open this page by its https address, or type.",
  },
  refused: {
    zh: "麦克风没有得到允许。请在浏览器地址栏的网站设置里允许使用麦克风，再点一次；也可以打字。",
    en: "The microphone was not allowed. Please allow it in the site settings by the address bar and tap again, or type.",
  },
  missing_microphone: {
    zh: "没有找到麦克风。请接上麦克风再点一次，或者打字。",
    en: "No microphone was found. Please connect one and tap again, or type.",
  },
  occupied: {
    zh: "麦克风正被别的程序使用。请关闭那个程序再点一次，或者打字。",
    en: "Another program is using the microphone. Please close it and tap again, or type.",
  },
  broken: {
    zh: "麦克风打不开。请检查设备再点一次，或者打字。",
    en: "The microphone cannot be opened. Please check it and tap again, or type.",
  },
  unplugged: {
    zh: "麦克风断开了。请重新接上再点一次，或者打字。",
    en: "The microphone was disconnected. Please connect it and tap again, or type.",
  },
  close: { zh: "关闭", en: "Close" },
  loading: { zh: "正在打开资料…", en: "Opening the document…" },
  missing: { zh: "打不开这份资料，它可能已被移除。", en: "This document cannot be opened. It may have been removed." },
  page: { zh: "第 {page} 页", en: "Page {page}" },
  slide: { zh: "第 {page} 张幻灯片", en: "Slide {page}" },
  moment: { zh: "{time} 处", en: "at {time}" },
  document: { zh: "资料原文", en: "Text of the document" },
  quoted: { zh: "引用的原文", en: "The quoted passage" },
  draw: {
    zh: "主播的画面没能载入，文字和声音仍可使用。",
    en: "The presenter could not be drawn. Text and sound still work.",
  },
};

export class Language extends EventTarget {
  /** @type {Lang} */
  #current;

  /** @param {readonly string[]} preferred the browser's languages, best first */
  constructor(preferred) {
    super();
    const first = preferred.map((tag) => tag.toLowerCase().slice(0, 2)).find((tag) => tag === "zh" || tag === "en");
    this.#current = first === "zh" ? "zh" : "en";
  }

  /** @returns {Lang} */
  get current() {
    return this.#current;
  }

  /** @param {Lang} lang */
  set current(lang) {
    this.#current = lang;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {keyof typeof WORDS} word @param {Record<string, string|number>} values for {name} in the text */
  say(word, values = {}) {
    return WORDS[word][this.#current].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /**
   * Fills `data-say` with text and `data-label` with an accessible name, below `root`.
   * @param {ParentNode} root
   */
  apply(root) {
    document.documentElement.lang = this.#current === "zh" ? "zh-CN" : "en";
    document.title = this.say("title");
    for (const element of root.querySelectorAll("[data-say]")) element.textContent = this.say(element.dataset.say);
    for (const element of root.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", this.say(element.dataset.label));
      if (element.matches("button")) element.title = this.say(element.dataset.label);
    }
    for (const element of root.querySelectorAll("[data-placeholder]"))
      element.placeholder = this.say(element.dataset.placeholder);
  }
}
