import type { ManagedTypeName, Permission } from '@vic/vim';
import type { Changes } from './changes.ts';
import { ManagedObject } from './managed-object.ts';

/** A managed object with a name and a place in the inventory tree. */
export abstract class ManagedEntity extends ManagedObject {
  parent: ManagedEntity | undefined;
  #name: string;
  #permissions: readonly Permission[] = [];

  constructor(
    type: ManagedTypeName,
    value: string,
    changes: Changes,
    place: { name: string; parent: ManagedEntity | undefined },
  ) {
    super(type, value, changes);
    this.#name = place.name;
    this.parent = place.parent;
  }

  get name(): string {
    return this.#name;
  }

  /** Renames the entity. */
  setName(name: string): void {
    this.#name = name;
    this.touch('name');
  }

  /** The permissions defined on this very entity. */
  get permissions(): readonly Permission[] {
    return this.#permissions;
  }

  /** Replaces the permissions defined on this entity. */
  setPermissions(permissions: readonly Permission[]): void {
    this.#permissions = permissions;
    this.touch('permission');
  }

  /** The entities directly below, as views and inventory paths see them. */
  abstract children(): readonly ManagedEntity[];

  /** Tasks that worked on this entity of late; kept by the task manager. */
  recentTasks: readonly { readonly type: 'Task'; readonly value: string }[] = [];

  /** The properties every entity has. */
  protected entityProperties(): Readonly<Record<string, () => unknown>> {
    return {
      name: () => this.#name,
      parent: () => this.parent?.ref,
      overallStatus: () => 'green',
      configStatus: () => 'green',
      configIssue: () => [],
      effectiveRole: () => [],
      permission: () => this.#permissions,
      declaredAlarmState: () => [],
      triggeredAlarmState: () => [],
      alarmActionsEnabled: () => true,
      disabledMethod: () => [],
      recentTask: () => this.recentTasks,
      customValue: () => [],
      tag: () => [],
      value: () => [],
      availableField: () => [],
    };
  }
}
