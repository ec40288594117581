import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { sanitizedNodes } from "../../src/timeline/rendered.js";
import { fakeDocument } from "../markup.js";

Object.assign(globalThis, { document: fakeDocument });

// The same cases test the server, which renders these texts.
const MARKDOWN = JSON.parse(readFileSync(new URL("../../../tests/shared/markdown.json", import.meta.url)));
const written = (html) => sanitizedNodes(html).map((node) => node.outerHTML).join("");
const letters = (text) => text.match(/[\p{L}\p{N}]/gu) ?? [];

/** The letters that were typed and are neither in the shown text, nor in the URLs and numbers of the markup. */
function missing(text, html) {
  const there = letters(numbered(html).replace(/ (target|rel)="[^"]*"|<\/?\w+|&(?!\w+;)/g, " "));
  return letters(text).filter((letter) => {
    const place = there.indexOf(letter);
    if (place >= 0) there.splice(place, 1);
    return place < 0;
  });
}

/** HTML with the numbers that a browser shows before the items of its lists. */
function numbered(html) {
  const next = [];
  return html.replace(/<(\/?)(ol|ul|li)(?: \w+="(\d+)")?>/g, (_tag, closing, name, number) => {
    if (closing) return name === "li" ? "" : (next.pop(), "");
    if (name !== "li") return next.push(name === "ol" ? Number(number ?? 1) : NaN), "";
    const own = Number(number ?? next.at(-1));
    next[next.length - 1] = own + 1;
    return Number.isNaN(own) ? "" : ` ${own} `;
  });
}

for (const [text, html] of MARKDOWN.filter(([, html]) => html)) {
  test(`The page shows what the server rendered of ${JSON.stringify(text)}`, () => {
    const shown = sanitizedNodes(html).map((node) => node.textContent);

    assert.equal(written(html), html);
    assert.deepEqual(letters(shown.join("")), letters(html.replace(/<[^>]*>|&\w+;/g, "")));
    assert.deepEqual(missing(text.replace(/```js\n/g, "```\n"), written(html)), []);
  });
}

test("Lists keep their numbers, and no other attribute", () => {
  const html = '<ol start="30" class="x" onclick="x"><li value="4" id="x">a</li></ol><p start="2" title="x">b</p>';

  assert.equal(written(html), '<ol start="30"><li value="4">a</li></ol><p>b</p>');
});

test("A list's number is a number", () => {
  assert.equal(written('<ol start="-1x"><li value="">a</li></ol>'), "<ol><li>a</li></ol>");
});

test("Only what the server writes is markup", () => {
  const html = '<p onclick="x">1 &lt; 2 &amp;amp; &quot;a&quot;&nbsp;b &copy; <b>c</b><a href="https://a.example/?b&amp;c" id="d">e</a></em></p></div>f<';

  assert.equal(
    written(html),
    '<p>1 &lt; 2 &amp;amp; "a"&nbsp;b &amp;copy; c<a href="https://a.example/?b&amp;c" target="_blank" rel="noopener noreferrer nofollow ugc">e</a></p>f&lt;',
  );
});

test("Links to other schemes and scripts are removed", () => {
  assert.equal(written('<a href="javascript:x">a</a><script>b</script><img src="x"></img><u>c</u>'), "<a>a</a>c");
});
