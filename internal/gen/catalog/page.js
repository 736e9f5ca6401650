"use strict";
(() => {
	const all = (selector, within = document) => [...within.querySelectorAll(selector)];
	const input = document.getElementById("find");
	const found = document.getElementById("found");
	const links = new Map(all("nav li a").map(a => [decodeURIComponent(a.hash.slice(1)), a]));
	const events = all("article").map(el => {
		const text = el.textContent.toLowerCase();
		const closed = all(".version:not([data-open])", el).map(d => ({el: d, text: d.textContent.toLowerCase()}));
		const open = closed.reduce((left, d) => left.replace(d.text, " "), text);
		return {el, link: links.get(el.id), text, closed, open};
	});
	const sections = all(".aggregate").map(el => ({el, articles: all("article", el)}));
	const lists = all("nav ul");
	const none = document.querySelector(".none");
	for (const el of all(".find, #theme, .keys")) el.hidden = false;

	// Find: an event stays that has every word, in its name, a field, a doc or its sample.
	let shown = events, at = -1;
	const find = () => {
		const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
		shown = [];
		for (const e of events) {
			const has = words.every(w => e.text.includes(w));
			if (e.el.hidden === has) {
				e.el.hidden = !has;
				if (e.link) e.link.parentNode.hidden = !has;
			}
			if (has) shown.push(e);
		}
		for (const s of sections) s.el.hidden = s.articles.every(a => a.hidden);
		for (const l of lists) l.hidden = l.previousElementSibling.hidden = [...l.children].every(li => li.hidden);
		none.hidden = shown.length > 0;
		found.textContent = words.length ? shown.length + " of " + events.length : "";
		at = -1;
		for (const d of all(".diagram")) d.hidden = words.length > 0;
		clearTimeout(marking);
		marking = setTimeout(mark, 120, words);
	};

	// Marks the words in what is found, and opens the versions that hold them.
	let marking;
	const enough = 40;
	const mark = words => {
		const ranges = [];
		for (const {el, closed, open} of shown.slice(0, enough)) {
			const lacks = words.filter(w => !open.includes(w));
			for (const d of closed) d.el.open = lacks.some(w => d.text.includes(w));
			if (!words.length || !window.Highlight) continue;
			const walker = document.createTreeWalker(el, NodeFilter.SHOW_TEXT);
			for (let n = walker.nextNode(); n; n = walker.nextNode()) {
				const text = n.data.toLowerCase();
				if (text.length !== n.data.length) continue;
				for (const w of words) {
					for (let i = text.indexOf(w); i >= 0; i = text.indexOf(w, i + w.length)) {
						const range = new Range();
						range.setStart(n, i);
						range.setEnd(n, i + w.length);
						ranges.push(range);
					}
				}
			}
		}
		if (window.Highlight) CSS.highlights.set("found", new Highlight(...ranges));
	};
	input.addEventListener("input", find);

	const go = step => {
		if (!shown.length) return;
		const focused = shown.findIndex(e => e.el === document.activeElement);
		if (focused >= 0) at = focused;
		at = Math.max(0, Math.min(shown.length - 1, at + step));
		shown[at].el.focus({preventScroll: true});
		shown[at].el.scrollIntoView({block: "start"});
	};
	const dark = () => {
		const root = document.documentElement;
		const now = root.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
		root.style.colorScheme = now === "dark" ? "light" : "dark";
	};
	document.getElementById("theme").addEventListener("click", dark);
	document.addEventListener("keydown", e => {
		if (e.ctrlKey || e.metaKey || e.altKey) return;
		if (e.target === input) {
			if (e.key === "Escape") {
				if (input.value) { input.value = ""; find(); } else input.blur();
			} else if (e.key === "Enter" || e.key === "ArrowDown") {
				at = -1;
				go(1);
			} else return;
			e.preventDefault();
			return;
		}
		switch (e.key) {
		case "/": input.focus(); input.select(); break;
		case "j": go(1); break;
		case "k": go(-1); break;
		case "t": dark(); break;
		case "o":
			for (const d of all(".version", document.activeElement.closest("article") || undefined)) d.open = true;
			break;
		case "Escape":
			if (!input.value) return;
			input.value = "";
			find();
			break;
		default: return;
		}
		e.preventDefault();
	});

	// The event that is being read is marked in the list.
	let here;
	const mind = link => {
		if (!link || link === here) return;
		if (here) here.classList.remove("here");
		here = link;
		link.classList.add("here");
	};
	const watch = new IntersectionObserver(entries => {
		for (const entry of entries) {
			if (entry.isIntersecting) mind(links.get(entry.target.id));
		}
	}, {rootMargin: "-80px 0px -80% 0px"});
	for (const e of events) watch.observe(e.el);

	// A link to a version opens it.
	const reveal = () => {
		const id = decodeURIComponent(location.hash.slice(1)), target = document.getElementById(id);
		if (target && target.matches("details")) target.open = true;
		mind(links.get(id));
	};
	addEventListener("hashchange", reveal);
	reveal();

	// In a diagram, what belongs to a box stands out.
	for (const svg of all(".diagram svg")) {
		const edges = all("path", svg), boxes = all("g", svg);
		const light = box => {
			const own = box && box.dataset.n, on = new Set([own]);
			for (const p of edges) {
				const mine = p.dataset.f === own || p.dataset.t === own;
				p.classList.toggle("on", mine);
				if (mine) on.add(p.dataset.f).add(p.dataset.t);
			}
			for (const g of boxes) g.classList.toggle("on", on.has(g.dataset.n));
			svg.classList.toggle("lit", !!box);
		};
		for (const type of ["pointerover", "focusin"]) svg.addEventListener(type, e => light(e.target.closest("g") || e.target.querySelector("g")));
		for (const type of ["pointerleave", "focusout"]) svg.addEventListener(type, () => light(null));
	}

	// Paper has everything open.
	let closed = [];
	addEventListener("beforeprint", () => {
		closed = all("details:not([open])");
		for (const d of closed) d.open = true;
	});
	addEventListener("afterprint", () => {
		for (const d of closed) d.open = false;
	});
})();
