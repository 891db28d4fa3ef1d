/* SPDX-License-Identifier: BSD-2-Clause */
const $ = id => document.getElementById(id), page = document.documentElement;
const D = JSON.parse($('data').textContent);
const ROW = 19, PAD = 5, THIN = 1.5, CAP = 300000, ROWS = 200;
const FONT = '12px ' + getComputedStyle(page).getPropertyValue('--mono');
const KINDS = ['native code', 'kernel', 'kernel module', 'BPF program', 'JIT code',
	'inlined', 'marks and groups'];
const COLOURS = ['type', 'module', 'name'];
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const night = matchMedia('(prefers-color-scheme: dark)');
const box = $('box'), graph = $('graph'), g = graph.getContext('2d'), tip = $('tip');

/* --- data: varints of 5 bits a character, names front-coded, nodes in preorder --- */
const CODE = new Uint8Array(128);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].forEach((c, i) => {
	CODE[c.charCodeAt()] = i;
});
const varints = text => {
	let at = 0;
	return () => {
		let v = 0, unit = 1, c;
		do {
			c = CODE[text.charCodeAt(at++)];
			v += (c & 31) * unit;
			unit *= 32;
		} while (c & 32);
		return v;
	};
};

async function unpack(text) {
	const out = new Uint8Array(text.length * 3 >> 2);
	for (let i = 0, k = 0; k < out.length; i += 4, k += 3) {
		const v = CODE[text.charCodeAt(i)] << 18 | CODE[text.charCodeAt(i + 1)] << 12
			| CODE[text.charCodeAt(i + 2)] << 6 | CODE[text.charCodeAt(i + 3)];
		out[k] = v >> 16;
		out[k + 1] = v >> 8;
		out[k + 2] = v;
	}
	const plain = new Blob([out]).stream().pipeThrough(new DecompressionStream('deflate'));
	return new Response(plain).text();
}

const lines = (D.packed ? await unpack(D.names) : D.names).split('\n');
const F = (() => {
	const n = D.functionCnt, next = varints(D.functions);
	const f = {
		n, name: Array(n), kind: new Uint8Array(n), mod: new Int32Array(n), src: new Map(),
	};
	for (let i = 0, k = 0, name = ''; i < n; i++) {
		const flags = next();
		if (flags & 1) {
			const l = lines[k++];
			const same = CODE[l.charCodeAt(0)] * 64 + CODE[l.charCodeAt(1)];
			name = name.slice(0, same) + l.slice(2);
		}
		f.name[i] = name;
		f.kind[i] = flags >> 2;
		f.mod[i] = next() - 1;
		if (flags & 2)
			f.src.set(i, [next(), next()]);
	}
	return f;
})();

/* A tree: nodes level by level, each level from left to right; x and w are in samples. */
const tree = n => ({
	n, fn: new Int32Array(n), par: new Int32Array(n).fill(-1), dep: new Uint16Array(n),
	x: new Float64Array(n), w: new Float64Array(n), self: new Float64Array(n), off: [0],
});

function layout(t) {
	const at = new Float64Array(t.n);
	for (let i = 1; i < t.n; i++) {
		const p = t.par[i];
		at[i] = t.x[i] = at[p];
		at[p] += t.w[i];
	}
	return t;
}

function sum(t) {
	t.w.set(t.self);
	for (let i = t.n - 1; i > 0; i--)
		t.w[t.par[i]] += t.w[i];
	return layout(t);
}

const ALL = (() => {
	const n = D.nodeCnt, t = tree(n), next = varints(D.nodes), deep = [], cnt = [];
	const fn = new Int32Array(n), self = new Float64Array(n);
	for (let i = 0, d = -1; i < n; i++) {
		const head = next();
		d += 1 - (head >> 1);
		deep.push(d);
		cnt[d] = (cnt[d] || 0) + 1;
		fn[i] = next();
		self[i] = head & 1 ? next() : 0;
	}
	for (const c of cnt)
		t.off.push(t.off[t.off.length - 1] + c);
	const to = t.off.slice();
	for (let i = 0; i < n; i++) {
		const d = deep[i], id = to[d]++;
		t.dep[id] = d;
		t.fn[id] = fn[i];
		t.self[id] = self[i];
		t.par[id] = d ? to[d - 1] - 1 : -1;
	}
	return sum(t);
})();

/* Modules by their own samples: the first ones get colours that differ. */
const TOP = (() => {
	const self = new Float64Array(D.modules.length + 1);
	for (let i = 0; i < ALL.n; i++)
		self[F.mod[ALL.fn[i]] + 1] += ALL.self[i];
	return D.modules.map((_, m) => m).sort((a, b) => self[b + 1] - self[a + 1]);
})();
const RANK = [];
TOP.forEach((m, n) => { RANK[m] = n; });

/* The tree without the stacks that pass through one of these functions. */
function without(t, hidden) {
	const gone = new Uint8Array(t.n), to = new Int32Array(t.n);
	const self = new Float64Array(t.n), w = new Float64Array(t.n);
	let n = 0;
	for (let i = 0; i < t.n; i++) {
		gone[i] = hidden.has(t.fn[i]) || (i && gone[t.par[i]]);
		w[i] = self[i] = gone[i] ? 0 : t.self[i];
	}
	for (let i = t.n - 1; i > 0; i--)
		w[t.par[i]] += w[i];
	for (let i = 0; i < t.n; i++)
		if (!i || w[i])
			to[i] = n++;
	const r = tree(n);
	for (let i = 0; i < t.n; i++) {
		if (i && !w[i])
			continue;
		const k = to[i];
		r.fn[k] = t.fn[i];
		r.self[k] = self[i];
		r.dep[k] = t.dep[i];
		r.par[k] = i ? to[t.par[i]] : -1;
		r.off[t.dep[i] + 1] = k + 1;
	}
	return sum(r);
}

/* Whether no box of the same function lies around this one: recursion counts once. */
function outer(t, i, top = 0) {
	let p = t.par[i];
	while (p > top && t.fn[p] !== t.fn[i])
		p = t.par[p];
	return p <= top || p === i;
}

/*
 * A tree grown level by level from places in t, the widest box first: step(place, level) lists
 * where each leads to, with the weight it carries, or else that of the place. Yields now and then,
 * so that the page stays alive; at CAP boxes it stops and says at which level.
 */
function* grow(t, fn, places, weights, step) {
	const all = (weights || places.map(i => t.w[i])).reduce((a, b) => a + b, 0);
	const r = { fn: [fn], par: [-1], dep: [0], w: [all] }, off = [0, 1];
	let level = [[0, places, weights]], work = 0, cut = 0;
	for (let d = 1; level.length && !cut; d++) {
		const below = [];
		for (const [id, from, wt] of level) {
			const by = new Map();
			from.forEach((place, k) => {
				for (const to of step(place, d)) {
					const f = t.fn[to], w = wt ? wt[k] : t.w[to];
					let e = by.get(f);
					if (!e)
						by.set(f, e = [0, [], wt && [], 0]);
					e[1].push(to);
					if (wt)
						e[2].push(w);
					e[3] += w;
				}
			});
			const order = [...by].sort((a, b) => b[1][3] - a[1][3] || a[0] - b[0]);
			for (const [f, e] of order) {
				e[0] = r.fn.push(f) - 1;
				r.par.push(id);
				r.dep.push(d);
				r.w.push(e[3]);
				below.push(e);
			}
			if ((work += from.length + 1) > 4000) {
				work = 0;
				yield;
			}
		}
		if (below.length)
			off.push(r.fn.length);
		if (r.fn.length > CAP && below.length)
			cut = d;
		level = below;
	}
	const out = Object.assign(tree(r.fn.length), { off, cut });
	for (const k in r)
		out[k].set(r[k]);
	out.self.set(out.w);
	for (let i = 1; i < out.n; i++)
		out.self[out.par[i]] -= out.w[i];
	return layout(out);
}

/* Outwards from where samples end, or from each outermost call of function f. */
function callers(t, f) {
	const from = [], weights = [];
	for (let i = 1; i < t.n; i++)
		if (f < 0 ? t.self[i] : t.fn[i] === f && outer(t, i)) {
			from.push(i);
			weights.push(f < 0 ? t.self[i] : t.w[i]);
		}
	const up = (i, d) => f < 0 && d === 1 ? [i] : t.par[i] > 0 ? [t.par[i]] : [];
	return grow(t, f < 0 ? t.fn[0] : f, from, weights, up);
}

function callees(t, f) {
	const first = new Int32Array(t.n), from = [];
	for (let i = 1; i < t.n; i++) {
		if (!first[t.par[i]])
			first[t.par[i]] = i;
		if (t.fn[i] === f && outer(t, i))
			from.push(i);
	}
	const down = i => {
		const kids = [];
		for (let k = first[i]; k && t.par[k] === i; k++)
			kids.push(k);
		return kids;
	};
	return grow(t, f, from, null, down);
}
