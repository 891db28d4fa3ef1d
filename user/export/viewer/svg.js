/* SPDX-License-Identifier: BSD-2-Clause */
'use strict';
(() => {
const svg = document.documentElement, boxes = [...svg.querySelectorAll('g.f')].map(e => {
	const [title, rect, text] = e.children, at = name => +rect.getAttribute(name);
	const name = title.textContent.split('\n')[0];
	return { e, rect, text, name, x: at('x'), w: at('width'), y: at('y') };
});
const all = boxes[0], root = all.y, note = svg.querySelector('#found');
let view = all, query = '';

function show() {
	const k = all.w / view.w, up = boxes.some(b => b.y < root) ? 1 : -1;
	for (const b of boxes) {
		const outer = (b.y - view.y) * up > 0, place = x => all.x + (x - view.x) * k;
		const x0 = Math.max(all.x, place(b.x));
		const w = Math.max(0, Math.min(all.x + all.w, place(b.x + b.w)) - x0);
		b.e.style.display = w < 0.2 ? 'none' : '';
		b.e.style.opacity = outer && view !== all ? 0.5 : 1;
		b.rect.setAttribute('x', x0);
		b.rect.setAttribute('width', w);
		b.text.setAttribute('x', x0 + 4);
		const room = Math.floor((w - 6) / 6.7);
		const shown = b.name.length > room ? b.name.slice(0, room - 1) + '\u2026' : b.name;
		b.text.textContent = room < 3 ? '' : shown;
	}
}

function search() {
	const q = prompt('Search (text or regular expression)', query);
	if (q === null)
		return;
	query = q;
	let re;
	try {
		re = new RegExp(q, /[A-Z]/.test(q) ? '' : 'i');
	} catch {
		re = { test: s => s.includes(q) };
	}
	const found = [];
	for (const b of boxes) {
		const hit = q && b !== all && re.test(b.name);
		b.e.classList.toggle('m', hit);
		if (hit)
			found.push(b);
	}
	/* Nested matches count once: sweep from left to right. */
	let end = 0, sum = 0;
	for (const b of found.sort((a, c) => a.x - c.x || c.w - a.w)) {
		sum += Math.max(0, b.x + b.w - Math.max(end, b.x));
		end = Math.max(end, b.x + b.w);
	}
	const share = (100 * sum / all.w).toFixed(1);
	note.textContent = q ? `${share} % in ${found.length} boxes` : 'Search';
}

for (const b of boxes)
	b.e.addEventListener('click', () => {
		view = b;
		show();
	});
note.addEventListener('click', search);
svg.addEventListener('keydown', e => {
	if (e.key === 'Escape' || e.key === '0') {
		view = all;
		show();
	} else if (e.key === '/' || ((e.ctrlKey || e.metaKey) && e.key === 'f')) {
		e.preventDefault();
		search();
	}
});
note.textContent = 'Search';
})();
