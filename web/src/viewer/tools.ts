import { Enums as ToolEnums, LengthTool, PanTool, StackScrollTool, ToolGroupManager, WindowLevelTool, ZoomTool, annotation } from '@cornerstonejs/tools';

export type LeftTool = 'window' | 'pan' | 'zoom' | 'scroll' | 'length';
type Group = NonNullable<ReturnType<typeof ToolGroupManager.createToolGroup>>;

const NAMES: Record<LeftTool, string> = {
  window: WindowLevelTool.toolName, pan: PanTool.toolName, zoom: ZoomTool.toolName, scroll: StackScrollTool.toolName, length: LengthTool.toolName,
};
const { MouseBindings } = ToolEnums;
// What the other buttons do whatever the left one does.
const ALWAYS: Partial<Record<LeftTool, { mouseButton?: number; numTouchPoints?: number }[]>> = {
  pan: [{ mouseButton: MouseBindings.Auxiliary }, { numTouchPoints: 2 }],
  zoom: [{ mouseButton: MouseBindings.Secondary }],
  scroll: [{ mouseButton: MouseBindings.Wheel }],
};

export function makeToolGroup(id: string): Group {
  const group = ToolGroupManager.createToolGroup(id);
  if (!group) throw new Error(`the tools ${id} exist already`);
  for (const name of Object.values(NAMES)) group.addTool(name);
  return group;
}

export function removeToolGroup(id: string): void {
  ToolGroupManager.destroyToolGroup(id);
}

/** Puts a tool on the left button (and one finger). */
export function chooseTool(group: Group, chosen: LeftTool): void {
  for (const [tool, name] of Object.entries(NAMES) as [LeftTool, string][]) {
    const bindings = [...(ALWAYS[tool] ?? []), ...(tool === chosen ? [{ mouseButton: MouseBindings.Primary }] : [])];
    if (bindings.length > 0) group.setToolActive(name, { bindings });
    else group.setToolPassive(name);
  }
}

export function removeLengths(): void {
  annotation.state.removeAllAnnotations();
}
export type { Group };
