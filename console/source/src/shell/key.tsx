// The key of this tab, and what it may do.
import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import { key, setKey } from "../api/client";
import { Dialog, Facts, Field, words } from "../part/parts";
import { text } from "../text";

export function KeyForm({ refusal, isWanted }: { refusal?: string; isWanted?: boolean }) {
  const [value, setValue] = useState("");
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        setKey(value.trim());
      }}
    >
      <Field label={text.key.label} hint={text.key.hint} error={refusal}>
        {(attributes) => (
          <input
            {...attributes}
            type="password"
            autoComplete="off"
            required
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
            autoFocus={Boolean(isWanted)}
          />
        )}
      </Field>
      <div class="actions">
        <button class="primary">{text.key.use}</button>
        {key.value && (
          <button type="button" onClick={() => setKey("")}>
            {text.key.forget}
          </button>
        )}
      </div>
    </form>
  );
}

export function KeyPanel() {
  const { caller } = useRights();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" class="who" onClick={() => setIsOpen(true)}>
        <span class="hidden">{text.key.title}: </span>
        <span class="who-name">{caller.label}</span> <span class="status">{words(caller.role)}</span>
      </button>
      {isOpen && (
        <Dialog title={text.key.title} close={() => setIsOpen(false)}>
          <Facts
            facts={[
              [text.key.label, caller.label],
              [text.key.role, words(caller.role)],
              [text.key.may, text.may[caller.role]],
            ]}
          />
          {caller.isMasked && <p class="notice">{text.key.masked}</p>}
          <KeyForm />
        </Dialog>
      )}
    </>
  );
}
