import { randomUuid } from '@vic/ids';
import { type ContainerViewRef, type ListViewRef, managedTypeMeta } from '@vic/vim';
import type { Call, Handlers } from '../model/call.ts';
import { invalidArgument } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { requireSession } from '../server/require-session.ts';
import { ContainerView } from './container-view.ts';
import { ListView } from './list-view.ts';

/** Makes views for the session that asks. */
export class ViewManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('ViewManager', 'ViewManager', host.changes);
    this.#host = host;
  }

  protected readonly properties = {};

  readonly handlers: Handlers<ViewManager> = {
    CreateContainerView: (_self, { container, type, recursive }, call) =>
      this.#containerView(call, container, type ?? [], recursive),
    CreateListView: (_self, { obj }, call) => {
      const session = requireSession(call);
      const exists = (ref: { type: string; value: string }): boolean =>
        this.#host.objects.find(ref) !== undefined || session.find(ref) !== undefined;
      const view = session.add(new ListView(viewId(session.key), this.#host.changes, session, exists));
      view.reset(obj ?? []);
      return view.ref as ListViewRef;
    },
  };

  #containerView(
    call: Call,
    container: { type: string; value: string },
    types: readonly string[],
    recursive: boolean,
  ): ContainerViewRef {
    const session = requireSession(call);
    for (const type of types) {
      if (managedTypeMeta(type) === undefined)
        throw invalidArgument('type', `There is no managed type ${type.slice(0, 100)}.`);
    }
    const view = new ContainerView(viewId(session.key), this.#host.changes, {
      container: this.#host.objects.get(container, ManagedEntity),
      types,
      recursive,
      objects: this.#host.objects,
      onDestroy: (destroyed) => session.remove(destroyed),
    });
    return session.add(view).ref as ContainerViewRef;
  }
}

function viewId(sessionKey: string): string {
  return `session[${sessionKey}]${randomUuid()}`;
}
