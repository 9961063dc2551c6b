import { useState } from "preact/hooks";
import { change, key, setKey } from "../api/client";
import { ApiKeysDocument, CreateApiKeyDocument, RevokeApiKeyDocument, type ApiKeysQuery, type Role } from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { instant } from "../part/format";
import { Dialog, Empty, Failure, Field, Heading, Loading, Select, problemOf, words } from "../part/parts";
import { Pager, Table, usePages, type Column } from "../part/table";
import { text } from "../text";

const t = text.keys;
const roles: Role[] = ["ADMIN", "MARKETER", "ANALYST", "REDEEMER", "REPORTER", "CLAIMER"];
type Row = ApiKeysQuery["apiKeys"]["nodes"][number];

export function ApiKeys() {
  const pages = usePages("keys");
  const { data, error, again } = useAnswer(ApiKeysDocument, pages.variables);
  const [isNew, setIsNew] = useState(false);
  const [revoking, setRevoking] = useState<Row>();
  const action = useAction();
  const found = data?.apiKeys;
  const columns: Column<Row>[] = [
    { name: t.label, cell: (it) => it.label, isMain: true },
    { name: t.role, cell: (it) => words(it.role) },
    { name: t.status, cell: (it) => <span class={it.isWorking ? "status good" : "status"}>{it.isWorking ? t.working : it.revokedAt ? t.revoked : t.expired}</span> },
    { name: t.created, cell: (it) => instant(it.createdAt) },
    { name: t.used, cell: (it) => (it.lastUsedAt ? instant(it.lastUsedAt) : t.never) },
    { name: t.expires, cell: (it) => (it.expiresAt ? instant(it.expiresAt) : t.noExpiry) },
    {
      name: text.action,
      cell: (it) =>
        it.isWorking ? (
          <button type="button" onClick={() => setRevoking(it)}>
            {t.revoke}
          </button>
        ) : (
          "–"
        ),
    },
  ];
  return (
    <>
      <Heading title={t.title}>
        <button type="button" class="primary" onClick={() => setIsNew(true)}>
          {t.new}
        </button>
      </Heading>
      <Failure error={error} />
      {!found && !error && <Loading />}
      {found?.totalCount === 0 && (
        <Empty title={t.none}>
          <p>{t.noneHint}</p>
        </Empty>
      )}
      {found && found.totalCount > 0 && (
        <>
          <Table caption={t.title} columns={columns} rows={found.nodes} rowKey={(it) => String(it.id)} />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
      {isNew && (
        <NewKey
          isFirst={found?.totalCount === 0}
          close={(token) => {
            setIsNew(false);
            // From the first key on a request without one is refused: this tab goes on with it.
            if (token && !key.value) setKey(token);
            else again();
          }}
        />
      )}
      {revoking && (
        <Dialog title={t.revokeTitle(revoking.label)} close={() => setRevoking(undefined)}>
          <p>{t.revokeText}</p>
          <Failure error={action.error} />
          <div class="actions end">
            <button type="button" onClick={() => setRevoking(undefined)}>
              {text.cancel}
            </button>
            <button
              type="button"
              class="danger"
              disabled={action.isBusy}
              onClick={() =>
                action.run(async () => {
                  await change(RevokeApiKeyDocument, { id: revoking.id });
                  setRevoking(undefined);
                  again();
                })
              }
            >
              {t.revoke}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function NewKey({ isFirst, close }: { isFirst: boolean; close: (token?: string) => void }) {
  const [label, setLabel] = useState("");
  const [role, setRole] = useState<Role>(isFirst ? "ADMIN" : "MARKETER");
  const [expires, setExpires] = useState("");
  const [token, setToken] = useState<string>();
  const { isBusy, error, run } = useAction();
  return (
    <Dialog title={t.new} close={() => close(token)}>
      {token ? (
        <>
          <p>{t.once}</p>
          <pre tabIndex={0}>{token}</pre>
          <div class="actions end">
            <button type="button" onClick={() => navigator.clipboard?.writeText(token)}>
              {t.copy}
            </button>
            <button type="button" class="primary" onClick={() => close(token)}>
              {text.close}
            </button>
          </div>
        </>
      ) : (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void run(async () => {
              const made = await change(CreateApiKeyDocument, { input: { label, role, ...(expires && { expiresAt: expires }) } });
              setToken(made.token!);
            });
          }}
        >
          <Field label={t.label} hint={t.labelHint} error={problemOf(error, "label")}>
            {(attributes) => <input {...attributes} required autoFocus maxLength={255} value={label} onInput={(event) => setLabel(event.currentTarget.value)} />}
          </Field>
          <Field label={t.role} hint={text.may[role]}>
            {(attributes) => <Select {...attributes} options={isFirst ? ["ADMIN"] : roles} value={role} onChange={(next) => setRole(next as Role)} />}
          </Field>
          <Field label={t.expires} hint={t.expiresHint} error={problemOf(error, "expiresAt")}>
            {(attributes) => <input {...attributes} type="date" value={expires} onInput={(event) => setExpires(event.currentTarget.value)} />}
          </Field>
          {isFirst && <p class="notice">{t.firstHint}</p>}
          <Failure error={error} />
          <div class="actions end">
            <button type="button" onClick={() => close()}>
              {text.cancel}
            </button>
            <button class="primary" disabled={isBusy}>
              {t.create}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
