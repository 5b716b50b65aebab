/** An index's key as text, in its order: `chain:1,seq:1`. Two indexes with the same key are the same to MongoDB. */
export function keyText(key: object): string {
  return Object.entries(key)
    .map(([field, direction]) => `${field}:${String(direction)}`)
    .join(',');
}
