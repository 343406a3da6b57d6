import type { FileFacts } from './file-facts.ts';

interface Node {
  facts: FileFacts | undefined;
  readonly children: Map<string, Node>;
}

/** What the files of an image's layers tell, by path, so that upper layers can take away what lower ones had. */
export class FactTree {
  readonly #root: Node = { facts: undefined, children: new Map() };

  /** The facts at a path. */
  get(path: string): FileFacts | undefined {
    return this.#find(path.split('/'))?.facts;
  }

  /** A file that tells something is at this path now. */
  set(path: string, facts: FileFacts): void {
    let node = this.#root;
    for (const name of path.split('/')) {
      node = node.children.getOrInsertComputed(name, () => ({ facts: undefined, children: new Map() }));
    }
    node.facts = facts;
    node.children.clear();
  }

  /** A file of the same path is gone, or is something else now, with all that was beneath it. */
  remove(path: string): void {
    const names = path.split('/');
    const name = names.pop() ?? '';
    this.#find(names)?.children.delete(name);
  }

  /** A directory took the place of what was at this path; what is beneath it stays. */
  removeFile(path: string): void {
    const node = this.#find(path.split('/'));
    if (node !== undefined) node.facts = undefined;
  }

  /** What was in a directory is gone. */
  removeBelow(path: string): void {
    (path === '' ? this.#root : this.#find(path.split('/')))?.children.clear();
  }

  /** Every path with its facts. */
  *entries(): Generator<readonly [path: string, facts: FileFacts]> {
    const pending: (readonly [string, Node])[] = [['', this.#root]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [path, node] = next;
      if (node.facts !== undefined) yield [path, node.facts];
      for (const [name, child] of node.children) pending.push([path === '' ? name : `${path}/${name}`, child]);
    }
  }

  #find(names: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of names.filter(Boolean)) node = node?.children.get(name);
    return node;
  }
}
