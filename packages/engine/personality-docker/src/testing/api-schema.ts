import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The text of a fixture of the Docker API's contract: the published schema, or a recorded answer. */
export function contractFixture(name: string): string {
  const contract = createRequire(import.meta.url).resolve('@vic/docker-api');
  return readFileSync(new URL(`../fixtures/${name}`, `file://${contract}`), 'utf8');
}
