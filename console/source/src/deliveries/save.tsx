// Saves a draft without overwriting what somebody else changed meanwhile.
import { useState } from "preact/hooks";
import { change, send } from "../api/client";
import { DraftNowDocument, UpdateDeliveryDocument, type DeliveryDraftFragment, type UpdateDeliveryInput } from "../api/operations.generated";
import { useAction } from "../api/use";
import { Dialog, Failure } from "../part/parts";
import { text } from "../text";

const t = text.deliveries;

export type Change = Omit<UpdateDeliveryInput, "id">;

const valueOf = (draft: DeliveryDraftFragment, name: keyof Change) =>
  name === "couponId" ? (draft.coupon?.id ?? null) : draft[name as keyof DeliveryDraftFragment];

/**
 * Saves changes to a draft as it was read. Where one of the fields has another value now, the user
 * decides whose is kept.
 */
export function useSave(draft: DeliveryDraftFragment, again: () => void) {
  const action = useAction();
  const [conflict, setConflict] = useState<{ wanted: Change; fields: (keyof Change)[]; then: () => void }>();
  const write = async (wanted: Change, then: () => void) => {
    await change(UpdateDeliveryDocument, { input: { id: draft.id, ...wanted } });
    setConflict(undefined);
    again();
    then();
  };
  const save = (wanted: Change, then: () => void = () => {}) =>
    action.run(async () => {
      const names = (Object.keys(wanted) as (keyof Change)[]).filter((name) => wanted[name] !== valueOf(draft, name));
      if (names.length === 0) return then();
      const { delivery: now } = await send(DraftNowDocument, { id: draft.id });
      const fields = names.filter((name) => now && valueOf(now, name) !== valueOf(draft, name) && valueOf(now, name) !== wanted[name]);
      const only = Object.fromEntries(names.map((name) => [name, wanted[name]])) as Change;
      if (fields.length > 0) return setConflict({ wanted: only, fields, then });
      await write(only, then);
    });
  const dialog = conflict && (
    <Dialog title={t.conflict} close={() => setConflict(undefined)}>
      <p>{t.conflictText(conflict.fields.map((name) => t.fields[name as keyof typeof t.fields] ?? name).join(", "))}</p>
      <Failure error={action.error} />
      <div class="actions end">
        <button
          type="button"
          onClick={() => {
            setConflict(undefined);
            again();
          }}
        >
          {t.takeTheirs}
        </button>
        <button type="button" class="primary" disabled={action.isBusy} onClick={() => action.run(() => write(conflict.wanted, conflict.then))}>
          {t.keepMine}
        </button>
      </div>
    </Dialog>
  );
  return { ...action, save, dialog };
}
