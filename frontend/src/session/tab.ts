import { newId } from "./ids";

/** Which tab this is, for the server's leases: the same after a reload, another one in a copy of the tab. */

const PLACE = "cellloop.tab";
const lockName = (id: string): string => `cellloop-tab-${id}`;

/** Null where the browser has none: on a page that did not come over HTTPS. */
const lockManager = (): LockManager | null => (navigator as { locks?: LockManager | null }).locks ?? null;

/** Whether nobody has the id; from now on we have it, for as long as the page lives. */
function take(locks: LockManager, id: string): Promise<boolean> {
  return new Promise((resolve) => {
    void locks.request(lockName(id), { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise<never>(() => undefined) : undefined;
    });
  });
}

async function chooseId(): Promise<string> {
  const fresh = newId();
  const locks = lockManager();
  // Without locks a copied tab could not be told from a reloaded one.
  if (!locks) return fresh;
  const kept = sessionStorage.getItem(PLACE);
  if (kept && (await take(locks, kept))) return kept;
  await take(locks, fresh);
  sessionStorage.setItem(PLACE, fresh);
  return fresh;
}

/** Tabs of this browser, the newest last; some are closed by now. */
const BROWSER_TABS = "cellloop.tabs";
const MOST_TABS = 50;

function browserTabs(): string[] {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(BROWSER_TABS) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === "string") : [];
  } catch {
    // Storage is off, or holds something that is not ours: then no tab is known.
    return [];
  }
}

function remember(id: string): string {
  const ids = [...browserTabs().filter((known) => known !== id), id].slice(-MOST_TABS);
  try {
    localStorage.setItem(BROWSER_TABS, JSON.stringify(ids));
  } catch {
    // As above.
  }
  return id;
}

let own: Promise<string> | null = null;

export function tabSession(): Promise<string> {
  own ??= chooseId().catch(newId).then(remember);
  return own;
}

/** Whether this was a tab of this browser and is closed now: what it held is nobody's any more. */
export async function isClosedTab(id: string): Promise<boolean> {
  return lockManager() !== null && browserTabs().includes(id) && !(await openTabs()).has(id);
}

/** The tabs of this browser that are open now; this browser may not tell, and then none is known. */
export async function openTabs(): Promise<ReadonlySet<string>> {
  const locks = lockManager();
  if (!locks) return new Set();
  const { held } = await locks.query();
  return new Set((held ?? []).flatMap(({ name }) => (name?.startsWith(lockName("")) ? [name.slice(lockName("").length)] : [])));
}
