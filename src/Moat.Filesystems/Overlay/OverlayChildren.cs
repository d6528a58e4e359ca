using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>What an overlay's directory knows of its names beyond what the lower one tells: children that were made or changed, and the lower names that are gone. Others are found again by a lookup.
/// Names change under the directory's lock; that a child is changed for the first time becomes known from below.</summary>
internal sealed class OverlayChildren
{
    private readonly Lock _lock = new(); // a leaf
    private readonly Dictionary<FileName, OverlayInode?> _known = new(FileNameComparer.Instance); // guarded by _lock; null for a name that is gone

    /// <summary>Whether a name is known; null if it is known to be gone.</summary>
    public bool TryGet(FileName name, out OverlayInode? child)
    {
        lock (_lock)
        {
            return _known.TryGetValue(name, out child);
        }
    }

    /// <summary>Knows a child from now on.</summary>
    public OverlayInode Keep(FileName name, OverlayInode child)
    {
        lock (_lock)
        {
            _known[name] = child;
            return child;
        }
    }

    /// <summary>A name goes; if the lower directory has it, that is remembered.</summary>
    public void Remove(FileName name, bool isInLower)
    {
        lock (_lock)
        {
            if (isInLower)
            {
                _known[name] = null;
            }
            else
            {
                _known.Remove(name);
            }
        }
    }

    /// <summary>Adds the entries of the directory, given those of the lower one.</summary>
    public void Merge(List<OverlayEntry> lower, List<OverlayEntry> entries)
    {
        lock (_lock)
        {
            HashSet<FileName>? seen = _known.Count == 0 ? null : new(lower.Count, FileNameComparer.Instance);
            foreach (OverlayEntry entry in lower)
            {
                if (!_known.TryGetValue(entry.Name, out OverlayInode? child))
                {
                    entries.Add(entry);
                }
                else if (child is not null)
                {
                    entries.Add(new OverlayEntry(entry.Name, child.Number, child.FileType));
                }

                seen?.Add(entry.Name);
            }

            foreach ((FileName name, OverlayInode? child) in _known)
            {
                if (child is not null && !seen!.Contains(name))
                {
                    entries.Add(new OverlayEntry(name, child.Number, child.FileType));
                }
            }
        }
    }
}
