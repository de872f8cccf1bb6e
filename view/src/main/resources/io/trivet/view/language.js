// The language of the page: English or Chinese.

let language = 'en';
try {
  language = localStorage.getItem('trivet-language') || (navigator.language.startsWith('zh') ? 'zh' : 'en');
} catch { /* without storage the language is that of the browser */ }

export function currentLanguage() { return language; }

export function setLanguage(next) {
  language = next;
  try { localStorage.setItem('trivet-language', next); } catch { /* only for this page, then */ }
}

// Returns the one of two texts that is in the language of the page.
export const either = (en, zh) => language === 'zh' ? zh : en;
