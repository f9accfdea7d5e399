// Every page: its address, its name, where it belongs, and the module that shows it.

/**
 * `at` may have parts such as :core, which the page is given; `nav` puts it into the bar; `under` is the
 * page above it. Whoever adds a page adds it here, and its checks come by themselves.
 * @type {{at: string, name: string, nav?: boolean, under?: string, load: () => Promise<Function>}[]}
 */
export const ROUTES = [
  { at: '#/', name: 'Bench', nav: true, load: async () => (await import('./bench.js')).bench },
  { at: '#/runs', name: 'Runs', nav: true, load: async () => (await import('./runs.js')).runs },
  { at: '#/compare', name: 'Compare', under: '#/runs', load: async () => (await import('./compare.js')).compare },
  { at: '#/studies', name: 'Studies', nav: true, load: async () => (await import('./studies.js')).studies },
  { at: '#/study-new', name: 'New study', under: '#/studies', load: async () => (await import('./studynew.js')).studyNew },
  { at: '#/study/:study', name: 'Study', under: '#/studies', load: async () => (await import('./study.js')).study },
  { at: '#/submit', name: 'Submit', nav: true, load: async () => (await import('./submit.js')).submit },
  { at: '#/submit/:core/:channel', name: 'Submit', under: '#/submit', load: async () => (await import('./submit.js')).submit },
  { at: '#/events', name: 'Events', nav: true, load: async () => (await import('./events.js')).events },
  { at: '#/instruments', name: 'Instruments', nav: true, load: async () => (await import('./instruments.js')).instruments },
  { at: '#/channel/:core/:channel', name: 'Channel', under: '#/', load: async () => (await import('./channel.js')).channel },
  { at: '#/run/:run', name: 'Run', under: '#/runs', load: async () => (await import('./run.js')).run },
  { at: '#/you', name: 'You', load: async () => (await import('./access.js')).access },
  { at: '#/help', name: 'Help', load: async () => (await import('./help.js')).help },
];

/** Find what an address names, and the words in it; null where there is no such page. What follows ? is the page's own. */
export function found(address) {
  for (const route of ROUTES) {
    const words = address.split('?')[0].match(new RegExp(`^${route.at.replace(/:[a-z]+/g, '([^/?]+)')}$`))?.slice(1);
    if (words) return { route, words: words.map(plain) };
  }
  return null;
}

/** The page above another; null at the top. */
export const above = (route) => ROUTES.find((each) => each.at === route.under) ?? null;

function plain(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word; // not ours, and said as it is
  }
}
