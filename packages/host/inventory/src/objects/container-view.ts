import { isManagedSubtype } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import type { Changes } from '../model/changes.ts';
import type { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import type { ObjectRegistry } from '../model/object-registry.ts';

/** A live list of the entities of some types below a container. */
export class ContainerView extends ManagedObject implements Disposable {
  readonly #unsubscribe: () => void;
  readonly #onDestroy: (view: ContainerView) => void;
  readonly #container: ManagedEntity;
  readonly #types: readonly string[];
  readonly #recursive: boolean;

  constructor(
    value: string,
    changes: Changes,
    init: {
      container: ManagedEntity;
      types: readonly string[];
      recursive: boolean;
      objects: ObjectRegistry;
      onDestroy: (view: ContainerView) => void;
    },
  ) {
    super('ContainerView', value, changes);
    this.#container = init.container;
    this.#types = init.types;
    this.#recursive = init.recursive;
    this.#onDestroy = init.onDestroy;
    this.#unsubscribe = init.objects.onEntitiesChanged(() => this.touch('view'));
  }

  protected readonly properties = {
    container: () => this.#container.ref,
    type: () => this.#types,
    recursive: () => this.#recursive,
    view: () => this.#members().map((entity) => entity.ref),
  };

  readonly handlers: Handlers<ContainerView> = containerViewHandlers;

  destroy(): void {
    this.#onDestroy(this);
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  #members(): ManagedEntity[] {
    const members: ManagedEntity[] = [];
    const pending = [...this.#container.children()];
    for (let entity = pending.shift(); entity !== undefined; entity = pending.shift()) {
      const type = entity.ref.type;
      if (this.#types.length === 0 || this.#types.some((wanted) => isManagedSubtype(type, wanted)))
        members.push(entity);
      if (this.#recursive) pending.push(...entity.children());
    }
    return members;
  }
}

const containerViewHandlers: Handlers<ContainerView> = {
  DestroyView: (view) => {
    view.destroy();
    return undefined;
  },
};
