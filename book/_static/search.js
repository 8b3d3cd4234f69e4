// Search by section: MiniSearch over what search_sections.py wrote; Sphinx's splitQuery, Stemmer and stopwords.
// Everything is loaded with the page, so that it works from files as well, with excerpts.
(() => {
  const SHOWN = 30, AROUND = 120;
  const stemmer = new Stemmer();
  const term = (word) => {
    const lower = word.toLowerCase();
    return stopwords.includes(lower) || lower.length < 2 ? null : stemmer.stemWord(lower);
  };

  const found = (query) => {
    const index = new MiniSearch({
      fields: ["title", "also", "page", "text", "code"], tokenize: splitQuery, processTerm: term,
    });
    index.addAll(COURSE_SECTIONS.map((section, id) => ({ id, ...section })));
    const options = {
      boost: { title: 4, also: 4, page: 1.5, code: 0.4 },
      boostDocument: (id) => COURSE_SECTIONS[id].weight,
      prefix: (word) => word.length > 3,
    };
    // Sections with all words; then, so that a long question is not left without an answer, with most of them.
    const all = index.search(query, { ...options, combineWith: "AND" });
    const seen = new Set(all.map(({ id }) => id));
    const some = index.search(query, { ...options, fuzzy: 0.15 }).filter(({ id }) => !seen.has(id));
    return [...all, ...(all.length < 5 ? some : [])].map(({ id }) => COURSE_SECTIONS[id]);
  };

  // The words of the text around the first that was asked for, and those that were, marked.
  const excerpt = (text, wanted) => {
    const words = [...text.matchAll(/[0-9]+[.][0-9]+|[\p{Letter}\p{Number}_]+/gu)];
    const hits = words.filter((word) => wanted.has(term(word[0])));
    const start = Math.max((hits[0]?.index ?? 0) - AROUND, 0), end = start + 2 * AROUND;
    const from = start ? text.indexOf(" ", start) + 1 : 0, to = text.lastIndexOf(" ", end) > from && end < text.length ? text.lastIndexOf(" ", end) : text.length;
    const told = make("p", { class: "context" }, from ? "… " : "");
    let at = from;
    for (const hit of hits.filter(({ index }) => index >= from && index < to)) {
      told.append(text.slice(at, hit.index), make("mark", {}, hit[0]));
      at = hit.index + hit[0].length;
    }
    told.append(text.slice(at, to), to < text.length ? " …" : "");
    return told;
  };

  const query = new URLSearchParams(location.search).get("q") ?? "";
  document.querySelectorAll('input[name="q"]').forEach((input) => { input.value = query; });
  if (!query.trim()) return;
  const results = found(query), wanted = new Set(splitQuery(query).map(term).filter(Boolean));
  const list = make("ul", { class: "search" });
  for (const { address, page, title, text } of results.slice(0, SHOWN)) {
    const name = page === title ? title : `${page} › ${title}`;
    list.append(make("li", {}, make("a", { href: address }, name), text ? excerpt(text, wanted) : ""));
  }
  const many = results.length > SHOWN ? `The first ${SHOWN} of ${results.length} sections.` : `Sections found: ${results.length}.`;
  document.getElementById("search-results").append(
    make("p", { class: "search-summary", role: "status" }, results.length ? many : "No section has these words. Try fewer, or others."), list);
})();
