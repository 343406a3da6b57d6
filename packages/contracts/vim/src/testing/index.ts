export { arbitraryField, arbitraryObject, arbitraryValue, withoutUndefined } from './arbitrary.ts';
