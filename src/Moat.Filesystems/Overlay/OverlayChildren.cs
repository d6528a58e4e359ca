using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>What an overlay's directory knows of its names: every child that was ever looked up or made, and the lower names that are gone. Guarded by the directory's lock.</summary>
internal struct OverlayChildren
{
    private Dictionary<FileName, OverlayInode?>? _known; // null for a name that is gone

    /// <summary>Whether a name is known; null if it is known to be gone.</summary>
    public readonly bool TryGet(FileName name, out OverlayInode? child)
    {
        child = null;
        return _known is not null && _known.TryGetValue(name, out child);
    }

    /// <summary>Knows a child from now on.</summary>
    public OverlayInode Keep(FileName name, OverlayInode child)
    {
        (_known ??= new Dictionary<FileName, OverlayInode?>(FileNameComparer.Instance))[name] = child;
        return child;
    }

    /// <summary>A name goes; if the lower directory has it, that is remembered.</summary>
    public void Remove(FileName name, bool isInLower)
    {
        if (isInLower)
        {
            (_known ??= new Dictionary<FileName, OverlayInode?>(FileNameComparer.Instance))[name] = null;
        }
        else
        {
            _known?.Remove(name);
        }
    }

    /// <summary>Adds the entries of the directory, given those of the lower one.</summary>
    public readonly void Merge(List<OverlayEntry> lower, List<OverlayEntry> entries)
    {
        HashSet<FileName>? seen = _known is null ? null : new(lower.Count, FileNameComparer.Instance);
        foreach (OverlayEntry entry in lower)
        {
            if (!TryGet(entry.Name, out OverlayInode? child))
            {
                entries.Add(entry);
            }
            else if (child is not null)
            {
                entries.Add(new OverlayEntry(entry.Name, child.Number, child.FileType));
            }

            seen?.Add(entry.Name);
        }

        foreach ((FileName name, OverlayInode? child) in _known ?? [])
        {
            if (child is not null && !seen!.Contains(name))
            {
                entries.Add(new OverlayEntry(name, child.Number, child.FileType));
            }
        }
    }
}
