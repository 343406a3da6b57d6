import { type ManagedEntityRef, sameReference } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { VirtualMachine } from './virtual-machine.ts';

/** Finds entities without walking the tree. */
export class SearchIndex extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('SearchIndex', WELL_KNOWN.searchIndex.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {};

  readonly handlers: Handlers<SearchIndex> = {
    FindByInventoryPath: (_self, { inventoryPath }) => this.#byPath(inventoryPath),
    FindChild: (_self, { entity, name }) => refOf(childNamed(this.#host.objects.get(entity, ManagedEntity), name)),
    FindByUuid: (_self, { uuid, vmSearch, instanceUuid }) => {
      const wanted = uuid.toLowerCase();
      if (!vmSearch) return wanted === this.#host.uuid ? WELL_KNOWN.host : undefined;
      return refOf(
        this.#machines().find((vm) => (instanceUuid === true ? vm.record.instanceUuid : vm.record.uuid) === wanted),
      );
    },
    FindAllByUuid: (_self, { uuid, vmSearch, instanceUuid }) => {
      const wanted = uuid.toLowerCase();
      if (!vmSearch) return wanted === this.#host.uuid ? [WELL_KNOWN.host] : [];
      return this.#machines()
        .filter((vm) => (instanceUuid === true ? vm.record.instanceUuid : vm.record.uuid) === wanted)
        .map((vm) => vm.ref as ManagedEntityRef);
    },
    FindByDatastorePath: (_self, { datacenter, path }) =>
      sameReference(datacenter, WELL_KNOWN.datacenter)
        ? (refOf(this.#machines().find((vm) => vm.record.vmPathName === path)) as
            | { type: 'VirtualMachine'; value: string }
            | undefined)
        : undefined,
  };

  #machines(): VirtualMachine[] {
    return this.#host.objects.all(VirtualMachine);
  }

  #byPath(path: string): ManagedEntityRef | undefined {
    let entity: ManagedEntity | undefined = this.#host.objects.get(WELL_KNOWN.rootFolder, ManagedEntity);
    for (const name of path.split('/').filter((part) => part !== '')) {
      entity = entity === undefined ? undefined : childNamed(entity, decodeName(name));
    }
    return refOf(entity);
  }
}

function childNamed(entity: ManagedEntity, name: string): ManagedEntity | undefined {
  return entity.children().find((child) => child.name === name);
}

/** In paths the characters that names cannot carry are escaped. */
function decodeName(name: string): string {
  return name.replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\').replaceAll(/%25/g, '%');
}

function refOf(entity: ManagedEntity | undefined): ManagedEntityRef | undefined {
  return entity?.ref as ManagedEntityRef | undefined;
}
