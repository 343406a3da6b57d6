import { createHash } from 'node:crypto';

/** A row by its columns. */
export type TableRow = Readonly<Record<string, unknown>>;

/** What a table holds, whatever the order of its rows: two tables with the same content have the same. */
export class TableContent {
  #rows = 0;
  #sum = 0n;

  /** Counts rows in. */
  add(rows: readonly TableRow[]): void {
    for (const row of rows) {
      this.#rows++;
      // A sum of hashes does not depend on the order, in which databases differ.
      this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${hashOf(row)}`));
    }
  }

  get rows(): number {
    return this.#rows;
  }

  equals(other: TableContent): boolean {
    return this.#rows === other.#rows && this.#sum === other.#sum;
  }
}

function hashOf(row: TableRow): string {
  const columns = Object.keys(row).toSorted();
  const values = columns.map((column) => [column, plain(row[column])]);
  return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value;
}
