import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import { change } from "../api/client";
import { AddTargetsDocument, ClearTargetsDocument, FindRecipientsDocument, type RecipientFilter } from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { number } from "../part/format";
import { Card, Empty, Failure, Loading } from "../part/parts";
import { Pager, Table, usePages } from "../part/table";
import { text } from "../text";
import type { StepProps } from "./delivery";

const t = text.deliveries;

/** Attributes are searched by "name = value, value"; anything else is looked for in names and addresses. */
function filterOf(search: string, name: string, values: string): RecipientFilter {
  const wanted = values.split(",").map((value) => value.trim()).filter(Boolean);
  return { ...(search && { search }), ...(name && wanted.length > 0 && { attributes: [{ name, in: wanted }] }) };
}

export function Audience({ delivery, again, go, mayChange }: StepProps) {
  const { caller } = useRights();
  const [search, setSearch] = useState("");
  const [attribute, setAttribute] = useState("");
  const [values, setValues] = useState("");
  const filter = filterOf(search, attribute, values);
  const pages = usePages(filter);
  const { data, error } = useAnswer(FindRecipientsDocument, mayChange ? { filter, ...pages.variables } : null);
  const action = useAction();
  const found = data?.recipients;
  const isEveryone = Object.keys(filter).length === 0;
  const add = (input: { filter?: RecipientFilter; recipientIds?: string[] }) =>
    action.run(async () => {
      await change(AddTargetsDocument, { input: { deliveryId: delivery.id, ...input } });
      again();
    });
  return (
    <>
      <Card
        title={t.targets}
        actions={
          mayChange &&
          delivery.targetCount > 0 && (
            <button
              type="button"
              disabled={action.isBusy}
              onClick={() =>
                action.run(async () => {
                  await change(ClearTargetsDocument, { deliveryId: delivery.id });
                  again();
                })
              }
            >
              {t.clear}
            </button>
          )
        }
      >
        <p class="large" role="status">
          {number(delivery.targetCount)} <span class="quiet">{t.recipients}</span>
        </p>
        <Failure error={action.error} />
        {mayChange && (
          <div class="actions end">
            <button type="button" class="primary" disabled={delivery.targetCount === 0} onClick={() => go("content")}>
              {t.goOn(t.steps.content)}
            </button>
          </div>
        )}
      </Card>
      {mayChange && (
        <Card
          title={t.add}
          actions={
            <a class="button" href={`/console/imports/new?kind=TARGETS&delivery=${delivery.id}`}>
              {t.fromFile}
            </a>
          }
        >
          {!caller.isMasked && (
            <div class="filters">
              <input
                type="search"
                aria-label={t.searchRecipients}
                placeholder={t.searchRecipients}
                value={search}
                onInput={(event) => setSearch(event.currentTarget.value)}
              />
              <input aria-label={t.attribute} placeholder={t.attribute} value={attribute} onInput={(event) => setAttribute(event.currentTarget.value)} />
              <input aria-label={t.attributeValues} placeholder={t.attributeValues} value={values} onInput={(event) => setValues(event.currentTarget.value)} />
            </div>
          )}
          <Failure error={error} />
          {!found && !error && <Loading />}
          {found?.totalCount === 0 && (
            <Empty title={isEveryone ? t.noRecipients : t.noRecipientFound}>
              <p>{isEveryone ? t.noRecipientsHint : t.noRecipientFoundHint}</p>
              {isEveryone && (
                <a class="button primary" href="/console/imports/new?kind=RECIPIENTS">
                  {t.importRecipients}
                </a>
              )}
            </Empty>
          )}
          {found && found.totalCount > 0 && (
            <>
              <div class="actions">
                <button type="button" class="primary" disabled={action.isBusy} onClick={() => add({ filter })}>
                  {isEveryone ? t.addEveryone(number(found.totalCount)) : t.addFound(number(found.totalCount))}
                </button>
              </div>
              <Table
                caption={t.recipients}
                columns={[
                  { name: t.id, cell: (it) => it.externalId, isMain: true },
                  { name: t.name, cell: (it) => [it.firstName, it.lastName].filter(Boolean).join(" ") || "–" },
                  { name: t.address, cell: (it) => (delivery.channel === "SMS" ? it.phone : it.email) ?? "–" },
                  {
                    name: t.attributes,
                    cell: (it) =>
                      Object.entries(it.attributes ?? {})
                        .slice(0, 4)
                        .map(([name, value]) => `${name}: ${String(value)}`)
                        .join(", ") || "–",
                  },
                  {
                    name: text.action,
                    cell: (it) => (
                      <button type="button" disabled={action.isBusy} onClick={() => add({ recipientIds: [String(it.id)] })}>
                        {t.addOne}
                      </button>
                    ),
                  },
                ]}
                rows={found.nodes}
                rowKey={(it) => String(it.id)}
              />
              <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
            </>
          )}
        </Card>
      )}
    </>
  );
}
