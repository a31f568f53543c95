// What the server is asked, and why it does not answer.

export class Away extends Error {}
export class SignedOut extends Error {}
export class Refused extends Error {
  constructor(status, body) { super(body.message || String(status)); this.status = status; this.body = body; }
}

const headers = () => ({ "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers") || "{}") });

async function ask(url, options) {
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...options });
  } catch {
    throw new Away();
  }
  if (answer.status === 401) throw new SignedOut();
  return answer;
}

async function read(answer) {
  let body = {};
  try { body = await answer.json(); } catch { /* an error page, or a line that was cut */ }
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

export const get = async (url) => read(await ask(url, { headers: headers() }));

const posted = (url, body) => ask(url, {
  method: "POST", headers: { ...headers(), "Content-Type": "application/json" }, body: JSON.stringify(body),
});

export const post = async (url, body) => read(await posted(url, body));

// HTML that the server has made, whatever it says.
export const postForHtml = async (url, body) => (await posted(url, body)).text();
