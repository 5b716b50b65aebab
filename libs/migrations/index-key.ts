/** An index key as text, such as `chain:1,seq:1`. MongoDB identifies an index by its key. */
export function keyText(key: object): string {
  return Object.entries(key)
    .map(([field, direction]) => `${field}:${String(direction)}`)
    .join(',');
}
