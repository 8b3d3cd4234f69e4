// The chooser: one question at a time, in the place of the table that the page has without scripts. The answers are
// links, and the page's address (#/number/once) is all that it remembers. Nothing else is loaded; course.js has `make`.
(() => {
  const address = (names) => "#/" + names.join("/");

  customElements.define("se-which", class extends HTMLElement {
    connectedCallback() {
      Object.assign(this, JSON.parse(this.querySelector("script").textContent));
      this.ends = document.getElementById("which-ends").closest("section");
      this.status = make("p", { role: "status", class: "which-status" });
      this.here = make("div");
      this.append(this.status, this.here);
      this.ends.hidden = true;
      window.addEventListener("hashchange", () => this.follow(true));
      this.follow(false);
    }

    // Where the answers in an address lead: those that there are, and the question or end after them.
    walk(names) {
      const given = [];
      let place = this.start;
      for (const name of names) {
        const answers = this.questions[place]?.answers ?? {};
        if (!Object.hasOwn(answers, name)) break;
        given.push({ name, place, say: answers[name].say });
        place = answers[name].to;
      }
      return { given, place };
    }

    follow(moved) {
      const hash = decodeURIComponent(location.hash);
      const end = hash.startsWith("#end-") && document.getElementById(hash.slice(1));
      if (hash.length > 1 && !hash.startsWith("#/") && !end) {
        if (!this.here.hasChildNodes()) this.show([], this.start, "");
        return;  // another place of the page
      }
      const names = end ? [] : hash.slice(2).split("/").filter(Boolean);
      const { given, place } = end ? { given: [], place: hash.slice(5) } : this.walk(names);
      const lost = given.length < names.length ? `The address has an answer that there is not: ${names[given.length]}. ` : "";
      const heading = this.show(given, place, lost);
      if (moved || given.length || end) this.turn(heading, moved || end);
    }

    // The heading is what a screen reader says next, and where Tab goes on from.
    turn(heading, focus) {
      heading.tabIndex = -1;
      if (focus) heading.focus({ preventScroll: true });
      this.scrollIntoView({ block: "start" });
    }

    show(given, place, lost) {
      this.ends.append(...this.here.querySelectorAll("section"));  // the end that was shown goes back
      this.here.replaceChildren();
      const question = this.questions[place];
      if (given.length) this.here.append(this.trail(given));
      this.status.textContent = lost + (question ? `Question ${given.length + 1}` : "Answer");
      return question ? this.ask(question, given.map(({ name }) => name)) : this.tell(place, given);
    }

    trail(given) {
      const names = given.map(({ name }) => name);
      return make("ol", { class: "which-trail", "aria-label": "Your answers so far" }, ...given.map(({ place, say }, k) => {
        const change = make("a", { href: address(names.slice(0, k)) }, "change");
        change.append(make("span", { class: "visually-hidden" }, `: ${this.questions[place].ask}`));
        return make("li", {}, say, " ", change);
      }));
    }

    ask({ ask, help, answers }, names) {
      const heading = make("h2", { id: "which-question" }, ask);
      const list = make("ul", { class: "which-answers", "aria-labelledby": "which-question" });
      for (const [name, { say }] of Object.entries(answers)) {
        list.append(make("li", {}, make("a", { href: address([...names, name]) }, say)));
      }
      this.here.append(heading, make("p", { class: "which-help" }, help), list);
      return heading;
    }

    tell(place, given) {
      const heading = make("h2", {}, "Your standard error");
      const again = make("p", {}, make("a", { href: "#/" }, "Start again"));
      if (given.length) {
        const path = address(given.map(({ name }) => name));
        again.append(" · ", make("a", { href: path }, "Address of this answer"));
      }
      const end = document.getElementById(`end-${place.replaceAll("_", "-")}`).closest("section");
      this.here.append(heading, end, again);
      window.dispatchEvent(new Event("resize"));  // course.js asks what scrolls, now that it can be measured
      return heading;
    }
  });
})();
