import { VicError } from '@vic/errors';
import type { ContainerId } from '@vic/ids';
import type { ContainerUnit } from './container-unit.ts';

/** The containers of a VCH by id, VM and name, and the names that are taken. */
export class ContainerRegistry {
  readonly #units = new Map<ContainerId, ContainerUnit>();
  readonly #byRef = new Map<string, ContainerUnit>();
  /** Also holds names of containers that are being made. */
  readonly #names = new Map<string, ContainerId>();

  /** Takes a name; refuses one that is taken, in Docker's words. */
  reserveName(name: string, id: ContainerId): void {
    const owner = this.#names.get(name);
    if (owner === id) return;
    if (owner !== undefined) {
      throw new VicError({
        class: 'AlreadyExists',
        code: 'CONTAINER_NAME_IN_USE',
        message:
          `Conflict. The container name "/${name}" is already in use by container "${owner}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      });
    }
    this.#names.set(name, id);
  }

  /** Gives a name back if it is the container's. */
  releaseName(name: string, id: ContainerId): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  add(unit: ContainerUnit): void {
    this.#units.set(unit.id, unit);
    this.#byRef.set(unit.machine.ref, unit);
    // After a restart two records can claim a name only if someone copied a VM; the first keeps it.
    if (!this.#names.has(unit.record.config.name)) this.#names.set(unit.record.config.name, unit.id);
  }

  delete(unit: ContainerUnit): void {
    this.#units.delete(unit.id);
    this.#byRef.delete(unit.machine.ref);
    this.releaseName(unit.record.config.name, unit.id);
  }

  byId(id: string): ContainerUnit | undefined {
    return this.#units.get(id as ContainerId);
  }

  byRef(ref: string): ContainerUnit | undefined {
    return this.#byRef.get(ref);
  }

  /** All containers, the newest first. */
  all(): readonly ContainerUnit[] {
    return [...this.#units.values()].toSorted((a, b) => (a.record.createdAt < b.record.createdAt ? 1 : -1));
  }

  /** The container with this id, name or unique prefix of an id. */
  resolve(reference: string): ContainerUnit {
    const exact = this.#units.get(reference as ContainerId) ?? this.#named(reference);
    if (exact !== undefined) return exact;
    const matches = /^[0-9a-f]{1,64}$/.test(reference)
      ? [...this.#units.values()].filter((unit) => unit.id.startsWith(reference))
      : [];
    const [match] = matches;
    if (match !== undefined && matches.length === 1) return match;
    throw match === undefined ? unknown(reference) : ambiguous(reference);
  }

  #named(name: string): ContainerUnit | undefined {
    const id = this.#names.get(name.replace(/^\//, ''));
    return id === undefined ? undefined : this.#units.get(id);
  }
}

function unknown(reference: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'CONTAINER_NOT_FOUND',
    message: `No such container: ${reference}`,
  });
}

function ambiguous(reference: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'CONTAINER_AMBIGUOUS',
    message: `Multiple IDs found with provided prefix: ${reference}`,
  });
}
