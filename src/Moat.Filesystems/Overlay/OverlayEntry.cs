using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>One entry of a merged directory.</summary>
internal readonly record struct OverlayEntry(FileName Name, ulong Number, Mode Type);
