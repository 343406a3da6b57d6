import { type DynamicProperty, type MissingProperty, type ObjectContent, type PropertyFilterSpec } from '@vic/vim';
import type { ManagedObject } from '../model/managed-object.ts';
import { invalidProperty, onWire, propertyValue } from './property-value.ts';
import { type Reader, checkSpec, pathsFor, select } from './selection.ts';

/** The objects and properties that filter specifications select now. */
export function retrieve(specs: readonly PropertyFilterSpec[], reader: Reader): ObjectContent[] {
  return specs.flatMap((spec) => {
    checkSpec(spec);
    const paths = new Map<string, readonly string[]>();
    return [...select(spec, reader).objects.values()].map((object) =>
      contentOf(
        object,
        paths.getOrInsertComputed(object.ref.type, (type) => pathsFor(spec, type)),
        reader,
      ),
    );
  });
}

function contentOf(object: ManagedObject, paths: readonly string[], reader: Reader): ObjectContent {
  const propSet: DynamicProperty[] = [];
  const missingSet: MissingProperty[] = [];
  for (const path of paths) {
    const found = propertyValue(object, path, reader.session);
    if (found.kind === 'set') propSet.push({ name: path, val: onWire(found) });
    else if (found.kind === 'invalid') missingSet.push({ path, fault: invalidProperty(path) });
  }
  return { obj: object.ref, propSet, ...(missingSet.length === 0 ? {} : { missingSet }) };
}
