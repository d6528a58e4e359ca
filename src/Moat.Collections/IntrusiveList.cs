namespace Moat.Collections;

/// <summary>A list, in order of addition, whose items are its links: adding and removing take constant time and allocate nothing.</summary>
/// <remarks>The owner guards it, and knows whether an item is in it: it is in one list of a kind at a time. A field, not to be copied.</remarks>
/// <typeparam name="T">The items.</typeparam>
/// <typeparam name="TLinks">Where they keep their links.</typeparam>
public struct IntrusiveList<T, TLinks>
    where T : class
    where TLinks : struct, IListLinks<T>
{
    private T? _last;

    /// <summary>Who has been in it longest.</summary>
    public T? First { get; private set; }

    /// <summary>The item behind one that is in it, or null.</summary>
    public static T? After(T item) => TLinks.Of(item).Next;

    /// <summary>Adds an item, which is in no list of this kind, at the end.</summary>
    public void Add(T item)
    {
        TLinks.Of(item).Previous = _last;
        if (_last is { } last)
        {
            TLinks.Of(last).Next = item;
        }
        else
        {
            First = item;
        }

        _last = item;
    }

    /// <summary>Takes out an item, which is in it.</summary>
    public void Remove(T item)
    {
        ref ListLinks<T> links = ref TLinks.Of(item);
        if (links.Previous is { } previous)
        {
            TLinks.Of(previous).Next = links.Next;
        }
        else
        {
            First = links.Next;
        }

        if (links.Next is { } next)
        {
            TLinks.Of(next).Previous = links.Previous;
        }
        else
        {
            _last = links.Previous;
        }

        links = default;
    }
}
