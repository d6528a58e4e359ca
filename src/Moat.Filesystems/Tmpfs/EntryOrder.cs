using System.Diagnostics.CodeAnalysis;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>The names of a directory in the order in which they came, by their serial numbers. Adding and removing take the same time however many there are: what is removed leaves a gap, and
/// gaps are closed when they are more than the names. The directory's lock guards it.</summary>
internal sealed class EntryOrder
{
    private const int FewGaps = 32;

    private readonly List<Slot> _slots = []; // serial numbers rise
    private int _gaps;

    /// <summary>Adds a name with a serial number above all others.</summary>
    public void Add(long serial, FileName name) => _slots.Add(new Slot(serial, name));

    /// <summary>Takes out the name with a serial number.</summary>
    public void Remove(long serial)
    {
        int at = FirstAfter(serial - 1);
        _slots[at] = new Slot(serial, null);
        if (++_gaps > FewGaps && _gaps > _slots.Count / 2)
        {
            _slots.RemoveAll(static slot => slot.Name is null);
            _gaps = 0;
        }
    }

    /// <summary>Where names begin that came after one with a serial number, which need not be there any more.</summary>
    public int FirstAfter(long serial)
    {
        int low = 0;
        int high = _slots.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_slots[middle].Serial <= serial)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>The first name at a place or behind it.</summary>
    /// <param name="at">The place; receives that of the name.</param>
    /// <param name="name">The name.</param>
    /// <returns>False if there is none.</returns>
    public bool TryGet(ref int at, [NotNullWhen(true)] out FileName? name)
    {
        while (at < _slots.Count && _slots[at].Name is null)
        {
            at++;
        }

        name = at < _slots.Count ? _slots[at].Name : null;
        return name is not null;
    }

    private readonly record struct Slot(long Serial, FileName? Name);
}
