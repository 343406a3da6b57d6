import {
  VimFault,
  type DecodedRequest,
  type ManagedObjectReference,
  type PropertyMeta,
  isManagedSubtype,
  isReference,
  make,
} from '@vic/vim';
import type { Call } from '../model/call.ts';
import { managedObjectNotFound, notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import type { ManagedObject } from '../model/managed-object.ts';
import { PropertyCollector } from '../objects/property-collector.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { onWire, propertyValue, requirePath } from '../property-collector/property-value.ts';
import type { Reader } from '../property-collector/selection.ts';
import { DYNAMIC_PRIVILEGES } from './dynamic-privileges.ts';
import { whyUnsupported } from './why-unsupported.ts';
import { requireSession } from './require-session.ts';
import type { Session } from './sessions.ts';

/** What a client may call before it has logged in, and on which kinds of objects it may read properties then. */
const ANONYMOUS_METHODS: ReadonlySet<string> = new Set([
  'RetrieveServiceContent',
  'CurrentTime',
  'Login',
  'Fetch',
  'RetrieveProperties',
  'RetrievePropertiesEx',
  'ContinueRetrievePropertiesEx',
  'CancelRetrievePropertiesEx',
]);
const ANONYMOUS_TYPES: ReadonlySet<string> = new Set(['ServiceInstance', 'SessionManager', 'PropertyCollector']);

/** Finds the receiver of a call, checks what the caller may do, and runs the method. */
export class Dispatcher {
  readonly #host: Host;
  /** Reads for clients that have not logged in. */
  readonly #anonymousCollector: PropertyCollector;

  constructor(host: Host, anonymousSession: Session) {
    this.#host = host;
    this.#anonymousCollector = new PropertyCollector(
      WELL_KNOWN.propertyCollector.value,
      host.changes,
      anonymousSession,
      readerFor(host, undefined),
    );
  }

  /** The method's result. */
  async dispatch(request: DecodedRequest, call: Call): Promise<unknown> {
    const { method, self, args } = request;
    if (!ANONYMOUS_METHODS.has(method.name)) requireSession(call);
    const receiver = this.#receiver(self, call);
    if (method.name === 'Fetch') return this.#fetch(receiver, String(args['prop']), call);
    this.#checkPrivileges(request, receiver, call);
    const handler = (receiver.handlers as Record<string, unknown>)[method.name];
    if (typeof handler !== 'function') throw notSupported(whyUnsupported(method.name, self.type));
    return handler(receiver, args, call);
  }

  #receiver(ref: ManagedObjectReference, call: Call): ManagedObject {
    if (ref.value === WELL_KNOWN.propertyCollector.value && ref.type === 'PropertyCollector')
      return this.#defaultCollector(call);
    const object = find(this.#host, call.session, ref);
    if (object === undefined) throw managedObjectNotFound(ref);
    if (call.session === undefined && !ANONYMOUS_TYPES.has(object.ref.type)) requireSession(call);
    return object;
  }

  /** Every session has a property collector of its own behind the one well-known reference. */
  #defaultCollector(call: Call): PropertyCollector {
    const { session } = call;
    if (session === undefined) return this.#anonymousCollector;
    const existing = session.find(WELL_KNOWN.propertyCollector);
    if (existing instanceof PropertyCollector) return existing;
    return session.add(
      new PropertyCollector(
        WELL_KNOWN.propertyCollector.value,
        this.#host.changes,
        session,
        readerFor(this.#host, session),
      ),
    );
  }

  #fetch(object: ManagedObject, path: string, call: Call): unknown {
    requirePath(object.ref.type, path);
    if (!readerFor(this.#host, call.session).mayRead(object)) {
      requireSession(call);
      this.#host.authorization.require(call.userName, 'System.Read', object);
    }
    const found = propertyValue(object, path, call.session);
    return found.kind === 'set' ? onWire(found) : undefined;
  }

  #checkPrivileges({ method, args, self }: DecodedRequest, receiver: ManagedObject, call: Call): void {
    const privilege = method.privilege === '' ? privilegeOf(method.name, self.type) : method.privilege;
    const target = receiver instanceof ManagedEntity ? receiver : undefined;
    if (privilege !== 'System.Anonymous' && !ANONYMOUS_METHODS.has(method.name)) {
      // Where the privilege is asked for on the arguments, the manager itself needs no more than to be seen.
      if (onArguments(method.name)) this.#host.authorization.require(call.userName, 'System.View', undefined);
      else this.#host.authorization.require(call.userName, privilege, target);
    }
    for (const parameter of method.parameters) this.#checkArgument(parameter, args[parameter.name], call);
    if (onArguments(method.name)) for (const value of Object.values(args)) this.#requireOn(value, privilege, call);
  }

  #checkArgument(parameter: PropertyMeta, value: unknown, call: Call): void {
    if (parameter.privilege !== '') this.#requireOn(value, parameter.privilege, call);
  }

  #requireOn(value: unknown, privilege: string, call: Call): void {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const ref of values.filter(isReference)) {
      const object = find(this.#host, call.session, ref);
      if (object instanceof ManagedEntity) this.#host.authorization.require(call.userName, privilege, object);
    }
  }
}

/** What a session's user sees of the inventory. */
function readerFor(host: Host, session: Session | undefined): Reader {
  return {
    session,
    find: (ref) => find(host, session, ref),
    mayRead: (object) => {
      if (session === undefined) {
        if (!ANONYMOUS_TYPES.has(object.ref.type)) throw notAuthenticated(object.ref);
        return true;
      }
      return !(object instanceof ManagedEntity) || host.authorization.allows(session.userName, 'System.Read', object);
    },
  };
}

function find(host: Host, session: Session | undefined, ref: ManagedObjectReference): ManagedObject | undefined {
  const object = host.objects.find(ref) ?? session?.find(ref) ?? findBySubtype(host, ref);
  return object;
}

/** References may name a base type, such as `ManagedEntity`. */
function findBySubtype(host: Host, ref: ManagedObjectReference): ManagedObject | undefined {
  if (ref.type !== 'ManagedEntity') return undefined;
  return host.objects
    .all(ManagedEntity)
    .find((entity) => entity.ref.value === ref.value && isManagedSubtype(entity.ref.type, ref.type));
}

function notAuthenticated(object: ManagedObjectReference): VimFault {
  return new VimFault({
    fault: make('NotAuthenticated', { object, privilegeId: 'System.View' }),
    message: 'The session is not authenticated.',
    remedy: 'Log in first.',
  });
}

/** What a method needs whose privilege is not in the metadata; what nobody has thought about is the administrator's. */
export function privilegeOf(method: string, type: string): string {
  return DYNAMIC_PRIVILEGES[`${method} ${type}`] ?? DYNAMIC_PRIVILEGES[method] ?? 'Global.Settings';
}

/** Methods of managers whose privilege is asked for on the datastore or the entity they are about, which they check. */
function onArguments(method: string): boolean {
  return [
    'MakeDirectory',
    'DeleteDatastoreFile_Task',
    'MoveDatastoreFile_Task',
    'CopyDatastoreFile_Task',
    'SetEntityPermissions',
    'RemoveEntityPermission',
    'RetrieveEntityPermissions',
    'LogUserEvent',
    'SearchDatastore_Task',
    'SearchDatastoreSubFolders_Task',
  ].includes(method);
}
