// What somebody is writing, kept in this browser until it is submitted.

/** What was kept under a name; nothing where nothing was, or where it cannot be read. */
export function kept(name) {
  try {
    const found = JSON.parse(localStorage.getItem(name) ?? '{}');
    return found !== null && typeof found === 'object' ? found : {};
  } catch {
    return {}; // a draft that is damaged keeps nobody from writing another
  }
}

/** Keep it; a browser that has no room for it keeps the one before. */
export function keep(name, draft) {
  try {
    localStorage.setItem(name, JSON.stringify(draft));
  } catch {
    // what is being written stands in the editor
  }
}

/** It is submitted. */
export const dropped = (name) => localStorage.removeItem(name);

export const RUN = 'draft';
export const STUDY = 'study-draft';
